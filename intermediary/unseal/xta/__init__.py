"""Reads what travels by XTA 2 (2.1.1): the SOAP envelope, the transport order, the container and what it holds."""
