"""Pictures of one's own recordings and of what left; nothing in the flow needs it.

It is the one room that may work on sound as arrays, because the recordings are the reader's own files.
"""
