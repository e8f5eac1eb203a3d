"""The verbs of `connector` that live here; `cli/connector.py` reaches them by name."""
