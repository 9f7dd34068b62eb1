"""One sensor's live sound by the clock: for one stream in `local`, for hundreds in `gateway`."""
