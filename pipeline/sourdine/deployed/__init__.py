"""The deployed chain on one machine, to be looked at."""
