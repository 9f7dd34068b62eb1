"""Street sound in, closed records out."""

from dsp_core._dsp_core import __version__

__all__ = ["__version__"]
