"""Every verb of command line and console: typed request, person, reason, Mandant; audited inside.

`look` reads, `act` changes, `prove` verifies and exports the audit trail, `check` judges the configuration.
"""
