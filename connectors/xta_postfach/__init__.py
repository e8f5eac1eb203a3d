"""Connector `xta_postfach`: a Fachverfahren fetches from us by XTA 2."""
