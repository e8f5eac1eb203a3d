"""What connectors see (`api`), and how their settings become values (`settings`)."""
