"""Mapping `bauantrag`: application for a building permit to XBau 2.1 `baugenehmigung.antrag.0200` with its Bauvorlagen."""
