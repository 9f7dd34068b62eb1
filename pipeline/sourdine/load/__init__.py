"""A city's worth of sensors that are not there, to see what brokers and workers carry."""
