"""Records out of Kafka and into what keeps them: each once, the first of its id."""
