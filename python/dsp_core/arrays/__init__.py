"""numpy in, numpy out: the front end, the levels and the novelty score, on recordings of one's own."""
