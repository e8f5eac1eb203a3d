"""The mapping workbench: make a mapping, test it, prove it pure, report it to the Fachamt; reached by verbs of `mapping`."""
