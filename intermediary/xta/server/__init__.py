"""XTA 2.1.1 as a server: portals send to us, Fachverfahren fetch from us with the software they have."""
