"""Rules beyond XML Schema: ISO Schematron, compiled by us, and the scenario files of the KoSIT validator."""
