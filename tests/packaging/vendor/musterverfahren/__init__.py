"""Plug-ins of a made-up vendor: a mapping and a connector, each in a package of its own."""
