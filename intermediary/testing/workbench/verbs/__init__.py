"""The verbs of `mapping` that belong to the workbench; `cli/mapping.py` reaches them by name."""
