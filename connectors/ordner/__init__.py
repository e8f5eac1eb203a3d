"""Connector `ordner`: hands over by one atomic rename into a folder that the Fachverfahren or eAkte empties."""
