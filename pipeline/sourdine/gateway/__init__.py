"""A gateway: hundreds of live streams of the street go through the first stages here, and on to Kafka."""
