"""A small CMIS 1.1 DMS for tests and simulations: browser binding, and AtomPub as far as other clients need it."""
