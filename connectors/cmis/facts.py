"""What is noted about a Zustellung: its folder, then each document filed; and the proof that is made of it."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.cmis.answer import Found
from connectors.cmis.label import Label


def case_facts(folder: str, documents: int) -> dict[str, str]:
    """Noted before the first document: where they go, and how many there are."""
    return {"folder": folder, "documents": str(documents)}


def document_facts(label: Label, found: Found) -> dict[str, str]:
    """Noted when a document is filed: its id, our hash, and when, by the server's clock."""
    return {"id": found.id, "sha256": label.sha256, "filed_at": found.moment("cmis:creationDate")}


def proof(filed: Mapping[int, Mapping[str, str]]) -> dict[str, str]:
    """What an operator shows of a Zustellung that is filed: ids, hashes and times, no names."""
    facts = {"documents": str(len(filed))}
    for number in sorted(filed):
        facts |= {
            f"document_{number}" if name == "id" else f"{name}_{number}": value for name, value in filed[number].items()
        }
    return facts
