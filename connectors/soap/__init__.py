"""Connector `soap`: calls an operation of any WSDL with the pieces of a Zustellauftrag."""
