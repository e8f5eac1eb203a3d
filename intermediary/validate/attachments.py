"""What may not be passed on even though nobody here reads it: document types (threat T1), and what a route forbids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import MappingProxyType

from intermediary.core.attachments import AttachmentRules
from intermediary.core.faults import Rejected
from intermediary.core.values import Befund, Part
from intermediary.validate.archives import fault_of_archive
from intermediary.validate.file_types import ARCHIVES, UNKNOWN, ZIP, agrees, declared_type, told_type
from intermediary.xml.prolog import declares_doctype

REFUSED = "validate.attachment.refused"
HINTS = MappingProxyType(
    {
        "too-many": "Es sind zu viele Anlagen.",
        "total-too-large": "Die Anlagen sind zusammen zu groß.",
        "too-large": "Die Anlage ist zu groß.",
        "type-not-allowed": "Dateien dieser Art werden hier nicht angenommen.",
        "type-mismatch": "Die Datei ist nicht von der Art, die angegeben ist.",
        "archive": "Archive werden hier nicht angenommen; die Dateien einzeln beifügen.",
        "archive-closed": "Nur ZIP-Archive werden hier angenommen; die Dateien einzeln beifügen.",
        "archive-broken": "Das ZIP-Archiv ist beschädigt, leer oder hat zu viele Einträge.",
        "archive-encrypted": "Das ZIP-Archiv ist verschlüsselt; die Dateien einzeln beifügen.",
        "archive-names": "Namen im ZIP-Archiv sind doppelt, zu lang oder führen hinaus; die Dateien einzeln beifügen.",
        "archive-nested": "Das ZIP-Archiv enthält ein weiteres Archiv; die Dateien einzeln beifügen.",
        "archive-bomb": "Das ZIP-Archiv wäre entpackt unverhältnismäßig groß.",
    }
)
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


def check_files(attachments: Sequence[Part], rules: AttachmentRules | None) -> None:
    """Raises `Rejected("validate.attachment.refused")` with a finding for everything that a route's rules forbid.

    Types are told by declaration and by content, and both must be allowed. Findings name the place and the rule; file names
    and content are not told. Without rules nothing is looked at.
    """
    if rules is None:
        return
    findings = [*_together(attachments, rules)]
    for part in attachments:
        findings += [Befund(REFUSED, path=part.place, rule=rule, hint=HINTS[rule]) for rule in _broken_by(part, rules)]
    if findings:
        raise Rejected(REFUSED, where="attachment", findings=tuple(findings))


def _together(attachments: Sequence[Part], rules: AttachmentRules) -> Iterator[Befund]:
    if rules.max_count is not None and len(attachments) > rules.max_count:
        yield Befund(REFUSED, rule="too-many", hint=f"{HINTS['too-many']} Grenze: {rules.max_count}.")
    total = sum(part.content.length for part in attachments)
    if rules.max_total_bytes is not None and total > rules.max_total_bytes:
        yield Befund(
            REFUSED, rule="total-too-large", hint=f"{HINTS['total-too-large']} Grenze: {rules.max_total_bytes} Byte."
        )


def _broken_by(part: Part, rules: AttachmentRules) -> Iterator[str]:
    if rules.max_bytes is not None and part.content.length > rules.max_bytes:
        yield "too-large"
        return
    declared, told = declared_type(part.media_type), told_type(part.content)
    if not agrees(declared, told):
        yield "type-mismatch"
    elif not rules.allows(told if declared in ("", UNKNOWN) else declared):
        yield "type-not-allowed"
    is_archive = not ARCHIVES.isdisjoint({declared, told})
    if is_archive and rules.archives == "refuse":
        yield "archive"
    elif is_archive and rules.archives == "flat":
        is_zip = ZIP in (declared, told)
        broken = fault_of_archive(part.content) if is_zip else "archive-closed"
        if broken:
            yield broken


def _is_xml(media_type: str) -> bool:
    name = media_type.partition(";")[0].strip().lower()
    return name in _XML or name.endswith("+xml")
