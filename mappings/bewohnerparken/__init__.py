"""Mapping `bewohnerparken`: application for a residents' parking permit to an xdomea 3.1.0 package for the e-file."""
