"""Faust and Kafka plumbing: topics and rights, the settings of workers, one thin agent a stage."""
