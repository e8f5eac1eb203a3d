"""A small CMIS 1.1 repository for tests and simulations: browser binding, and AtomPub as far as other clients need it."""
