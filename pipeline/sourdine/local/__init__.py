"""The flow in one process: files, folders and a pipe, without a broker and without a network; and the demo scene."""
