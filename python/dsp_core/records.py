"""The open records: what may leave, and how many bits that is."""

__all__: list[str] = []
