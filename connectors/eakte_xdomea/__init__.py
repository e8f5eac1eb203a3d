"""Connectors `eakte_xdomea` and `eakte_ordner`: xdomea packages for an e-file, whose answers are the verdict."""
