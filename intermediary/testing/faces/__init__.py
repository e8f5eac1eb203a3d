"""Faces of stand-ins: HTTP servers that misbehave on command."""
