"""Connector `cmis`: files documents in a DMS or e-file over the CMIS 1.1 browser binding."""
