"""Mappings written in XSLT: what a stylesheet may use, where its output came from, and how it is run."""
