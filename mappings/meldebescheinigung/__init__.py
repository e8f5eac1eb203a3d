"""Mapping `meldebescheinigung`: application for a certificate of registration to XMeld 25.11a, message 1700."""
