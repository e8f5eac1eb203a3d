"""The room of XML: one hardened parser, one gate before it, and the canonical forms."""
