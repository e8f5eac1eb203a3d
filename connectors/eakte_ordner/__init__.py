"""Connector `eakte_ordner`: puts xdomea packages into an e-file's import folder and reads its answers back."""
