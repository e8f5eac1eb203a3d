"""Lanes: connectors of vendors run in processes of their own, fenced in, and are called over a socket."""
