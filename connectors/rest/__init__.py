"""Connector `rest`: pushes packages and documents to an HTTP interface that its settings describe."""
