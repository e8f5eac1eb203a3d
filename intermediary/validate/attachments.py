"""What may not be passed on even though nobody here reads it: XML attachments with a document type (threat T1)."""

from __future__ import annotations

from collections.abc import Iterable

from intermediary.core.faults import Rejected
from intermediary.core.values import Befund, Part
from intermediary.xml.prolog import declares_doctype

_XML = frozenset({"text/xml", "application/xml", "application/xml-external-parsed-entity", "application/xml-dtd"})


def check_attachments(attachments: Iterable[Part]) -> None:
    """Raises `Rejected("xml.dtd-forbidden")` with a finding for every attachment of an XML type that declares one.

    The target's parser may follow such a declaration to files and hosts. An attachment of any other type is opaque.
    """
    findings = tuple(
        Befund("xml.dtd-forbidden", path=part.place, rule="attachment")
        for part in attachments
        if _is_xml(part.media_type) and declares_doctype(part.content)
    )
    if findings:
        raise Rejected("xml.dtd-forbidden", where="attachment", findings=findings)


def _is_xml(media_type: str) -> bool:
    name = media_type.partition(";")[0].strip().lower()
    return name in _XML or name.endswith("+xml")
