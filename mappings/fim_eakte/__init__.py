"""Mapping `fim_eakte`: any application with its XDatenfelder schema to a readable document and an xdomea 3 package."""
