"""Mapping `maengelmelder`: a citizen reports damage in public space; to the e-file, written in XSLT 1."""
