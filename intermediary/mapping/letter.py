"""What a letter says beside the form: payment and identity of the applicant, as sections of the document.

The door puts such facts into `Opened.facts` as `payment.…` and `identity.…`; a FIT-Connect submission carries its metadata
as a JSON part. They are the sender's statements, shown and not judged.
"""

from __future__ import annotations

from collections.abc import Iterator

from intermediary.core.faults import Rejected
from intermediary.core.ports import Antrag
from intermediary.core.values import Part
from intermediary.mapping.entries import Entry, entries_of_json
from intermediary.mapping.filled import Row, Section, Value

_METADATA = "https://schema.fitko.de/fit-connect/metadata/"
_MOST_BYTES = 1 << 20
_PAYMENT = {
    "status": "Stand der Zahlung",
    "grossAmount": "Betrag",
    "paymentMethod": "Zahlungsart",
    "paymentMethodDetail": "Zahlungsart, näher",
    "transactionId": "Kennung der Zahlung",
    "transactionReference": "Kassenzeichen",
    "transactionTimestamp": "Zeitpunkt der Zahlung",
    "transactionUrl": "Beleg beim Bezahldienst",
}
_STATUS = {"BOOKED": "gebucht", "FAILED": "fehlgeschlagen", "CANCELED": "abgebrochen", "INITIAL": "begonnen"}
_IDENTITY = {
    "type": "Art des Nachweises",
    "version": "Fassung",
    "level": "Vertrauensniveau",
    "provider": "Nutzerkonto",
    "accountId": "Kennung des Kontos",
    "name": "Name laut Nachweis",
}
_TITLES = {"payment": "Zahlung", "identity": "Identität des Antragstellers"}
_NOT_READABLE = ("content",)


def letter_sections(antrag: Antrag) -> tuple[Section, ...]:
    """Sections for payment and identity, where the letter says something of them."""
    told = {"payment": list(_facts(antrag, "payment")), "identity": list(_facts(antrag, "identity"))}
    for entry in _metadata(antrag):
        _collect(entry, told)
    return tuple(Section(_TITLES[kind], tuple(rows)) for kind, rows in told.items() if rows)


def _facts(antrag: Antrag, kind: str) -> Iterator[Row]:
    for name, text in antrag.opened.facts.items():
        if name.startswith(f"{kind}."):
            yield _row(kind, name.partition(".")[2], text, f"facts.{name}")


def _metadata(antrag: Antrag) -> Iterator[Entry]:
    for part in antrag.attachments:
        if _is_json(part):
            try:
                read = entries_of_json(part.content.read())
            except Rejected:
                continue
            schema = next((one.text for one in read.entries if one.name == "$schema"), "")
            if schema.startswith(_METADATA):
                yield read


def _is_json(part: Part) -> bool:
    return (
        part.media_type.partition(";")[0].strip().lower() == "application/json" and part.content.length <= _MOST_BYTES
    )


def _collect(metadata: Entry, told: dict[str, list[Row]]) -> None:
    for entry in metadata.entries:
        kind = {"paymentInformation": "payment", "authenticationInformation": "identity"}.get(entry.name)
        if kind is not None:
            told[kind] += [_row(kind, leaf.name, leaf.text, leaf.path) for leaf in entry.leaves() if _is_readable(leaf)]


def _is_readable(leaf: Entry) -> bool:
    return bool(leaf.text) and leaf.name not in _NOT_READABLE


def _row(kind: str, name: str, text: str, path: str) -> Row:
    labels = _PAYMENT if kind == "payment" else _IDENTITY
    if kind == "payment" and name == "status":
        return Row(labels[name], (Value(_STATUS.get(text, text), text if text in _STATUS else "", path),))
    if kind == "payment" and name == "grossAmount":
        return Row(labels[name], (Value(f"{text.replace('.', ',')} Euro", "", path),))
    return Row(labels.get(name, name), (Value(text, "", path),))
