"""Mapping `gewerbeanmeldung`: registration of a trade (FIM S00000009) to the e-file and to a Fachverfahren."""
