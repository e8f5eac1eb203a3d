"""OSCI-Transport 1.2: from the MIME entity to its verified content (digest in the specifications, chapters 3 to 18)."""
