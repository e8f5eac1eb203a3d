"""Which pieces of a Zustellauftrag an argument can take, by name: checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from intermediary.connect.api import Dokument, Zustellauftrag

Form = Literal["xml", "root", "text", "base64", "mtom"]

FORMS: dict[str, tuple[Form, ...]] = {
    "message": ("xml", "root", "text", "base64", "mtom"),
    "package": ("base64", "mtom"),
    "document": ("base64", "mtom"),
}
TEXTS: dict[str, Callable[[Zustellauftrag], str]] = {
    "key": lambda auftrag: auftrag.key,
    "mandant": lambda auftrag: auftrag.mandant,
    "standard": lambda auftrag: auftrag.standard,
    "message": lambda auftrag: auftrag.message,
    "test": lambda auftrag: "true" if auftrag.is_test else "false",
    "package.name": lambda auftrag: auftrag.package.file_name,
    "package.type": lambda auftrag: auftrag.package.media_type,
    "package.sha256": lambda auftrag: auftrag.package.content.sha256,
    "package.length": lambda auftrag: str(auftrag.package.content.length),
}
OF_DOCUMENTS: dict[str, Callable[[Dokument], str]] = {
    "document.name": lambda dokument: dokument.file_name,
    "document.type": lambda dokument: dokument.media_type,
    "document.sha256": lambda dokument: dokument.content.sha256,
    "document.length": lambda dokument: str(dokument.content.length),
}
_BUSINESS = re.compile(r"business\.[a-z][a-z0-9_]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\[\])?")


def flat(table: Mapping[str, object]) -> dict[str, str]:
    """Paths with dots, also where TOML has made tables of them: `a.b = "key"` without quotes is a table `a`."""
    made: dict[str, str] = {}
    for name, value in table.items():
        if isinstance(value, Mapping):
            made |= {f"{name}.{rest}": source for rest, source in flat(value).items()}
        elif isinstance(value, str):
            made[name] = value
        else:
            raise ValueError(f"{name}: expected the name of a piece in quotes")
    return made


def demand_sources(table: Mapping[str, object], *, only_texts: bool = False, only_key: bool = False) -> None:
    """ValueError unless every path is one and every source is known; `only_key`: nothing of a delivery but its key."""
    for path, source in flat(table).items():
        subject, _, form = source.rpartition(".")
        is_content = form in FORMS.get(subject, ())
        is_of_document = source in OF_DOCUMENTS or (is_content and subject == "document")
        if not all(_NAME.fullmatch(name) for name in path.split(".")) or path.count("[]") > 1:
            raise ValueError(f"{path}: expected names with dots, one [] at most")
        if is_of_document is not ("[]" in path):
            raise ValueError(f"{path}: pieces of a document, and only they, need a [] in their path")
        is_known = (
            is_content or is_of_document or source in TEXTS or source.startswith("=") or _BUSINESS.fullmatch(source)
        )
        if not is_known or (only_texts and is_content) or (only_key and source != "key" and not source.startswith("=")):
            raise ValueError(f"{path}: no piece {source}; there are {', '.join(_sources())}, and =TEXT")


def _sources() -> Iterator[str]:
    yield from TEXTS
    yield from OF_DOCUMENTS
    yield from (f"{subject}.{form}" for subject, forms in FORMS.items() for form in forms)
    yield "business.NAME"
