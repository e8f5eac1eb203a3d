"""A simulated XTA server: a box to fetch from, an address to send to, and trouble on command."""
