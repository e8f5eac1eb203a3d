"""Mapping `wohnsitzanmeldung`: electronic registration of a residence to XMeld 25.11a, message 1704."""
