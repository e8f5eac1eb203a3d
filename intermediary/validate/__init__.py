"""The room of checking: schema packages, the catalogue that finds the right schema, findings without values."""
