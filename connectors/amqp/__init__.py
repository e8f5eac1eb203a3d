"""Connector `amqp`: publishes packages or bare messages to the broker of a Fachverfahren."""
