"""The conformance report: the shipped array functions, driven with tones, bursts and sweeps, against the standards.

`limits` holds what the standards allow, `weightings`, `meter` and `bands` measure, `peers` asks other libraries the
same, `report` and `plots` write. `python -m conformance` does all of it.
"""
