"""XTA 2 as a client: one call after the other over mutual TLS, and what is built of them."""
