"""What every endpoint that listens shares: the server, what clients may cost, how a body is received."""
