"""Sourdine: hears what happens in a street and passes nothing on of what is said there.

Sound enters as files or a pipe, closed records leave. What may hold speech lives in the Rust library `dsp_core`; this
package composes its stages (`flow`), feeds them (`local`) and writes down what they let out (`outgoing`).
"""

__version__ = "0.1.0"
