"""From a checked Antrag to the target message: reading, building, provenance, packaging; `api` is what mappings see."""
