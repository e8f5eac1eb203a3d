"""Which payloads a mapping reads, by their roots."""

from __future__ import annotations

from intermediary.core.ports import ANY_ROOT, Mapping

JSON_ROOT = "json"


def roots_of(mapping: Mapping) -> tuple[str, ...]:
    """All roots a mapping reads: its `input_root`, then its `further_roots`."""
    return (mapping.input_root, *getattr(mapping, "further_roots", ()))


def reads(mapping: Mapping, root: str) -> bool:
    """Whether a payload of this root may reach the mapping; who reads `json` reads it under every name (`json:…`)."""
    roots = roots_of(mapping)
    return ANY_ROOT in roots or root in roots or (JSON_ROOT in roots and root.startswith(f"{JSON_ROOT}:"))
