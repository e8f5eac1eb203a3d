"""An application of 20 KB and the mapping that reads all of it: what the figures of `bench/mapping.py` are taken on."""

from __future__ import annotations

from datetime import UTC, datetime

from intermediary.core.ports import Antrag, Kontext
from intermediary.mapping.accessor import Group, Payload, date
from intermediary.mapping.builder import Builder, Built, Node
from intermediary.mapping.provenance import codelist, constant, derived, metadata
from intermediary.mapping.structure import Attribute, Child, Complex, Shape, Simple
from intermediary.testing.golden import antrag_of

NAMESPACE = "urn:fim-de:xfall:datenschema:xdf3"
GROUPS = 10
FIELDS = 8
KONTEXT = Kontext("e0000000-0000-4000-8000-000000000001", "musterstadt", datetime(2026, 1, 1, tzinfo=UTC))
_SENTENCE = "Die Tätigkeit wird in gemieteten Räumen ausgeübt; Maschinen werden nicht aufgestellt. "
_TEXT = "Text"
_NAME = "Name"


def application() -> Antrag:
    """Ten groups of ten fields: names, a day, and a text of more than a kilobyte in each."""
    groups = "".join(_group(number) for number in range(GROUPS))
    root = "S00000009V1.0.0"
    return antrag_of(f'<x:{root} xmlns:x="{NAMESPACE}">{groups}</x:{root}>'.encode())


def _group(number: int) -> str:
    fields = "".join(
        f"<x:F{number:03}{field:08}V1.0.0>Müller-Lüdenscheidt {field}</x:F{number:03}{field:08}V1.0.0>"
        for field in range(FIELDS)
    )
    day = f"<x:F{number:03}00000100V1.0.0>2026-01-{number + 1:02}</x:F{number:03}00000100V1.0.0>"
    text = f"<x:F{number:03}00000101V1.0.0>{_SENTENCE * 15}</x:F{number:03}00000101V1.0.0>"
    return f"<x:G{number:011}V1.0.0>{fields}{day}{text}</x:G{number:011}V1.0.0>"


def mapped(antrag: Antrag) -> Built:
    """Every field to a leaf of its own, with code, id and moment in each group: 140 leaves with their origin."""
    payload = Payload(antrag.tree)
    message = Builder(SHAPE)
    message.attribute("produkt", "bench")
    head = message.element("kopf")
    head.leaf("kennung", metadata(KONTEXT.key, "nachricht.key"))
    head.leaf("eingang", metadata(KONTEXT.received_at, "received_at"))
    for number in range(GROUPS):
        _person(message.element("person"), payload.group(f"G{number:011}V1.0.0"), number)
    return message.finish()


def _person(to: Node, group: Group, number: int) -> None:
    to.leaf("id", derived(KONTEXT, f"/person[{number}]"))
    to.code("art", codelist("urn:beispiel:art", "1", "01"))
    for field in range(FIELDS):
        to.leaf(f"feld{field}", group.required(f"F{number:03}{field:08}V1.0.0"))
    to.leaf("tag", group.required(f"F{number:03}00000100V1.0.0", date))
    to.leaf("zusatz", group.optional(f"F{number:03}00000999V1.0.0"))
    to.leaf("text", group.required(f"F{number:03}00000101V1.0.0").by("gekuerzt", str.strip))
    to.leaf("amt", constant("Musterstadt"))


def _leaf(name: str, kind: str, least: int = 1) -> Child:
    return Child(name, "", kind, least, 1)


SHAPE = Shape(
    standard="bench 1",
    package="bench@1",
    sha256="0",
    root=Child("nachricht", "b", "Nachricht", 1, 1),
    namespaces={"b": "urn:beispiel:bench"},
    complex_types={
        "Nachricht": Complex(
            (_leaf("kopf", "Kopf"), Child("person", "", "Person", 1, None)), (Attribute("produkt", True),)
        ),
        "Kopf": Complex((_leaf("kennung", _NAME), _leaf("eingang", "Moment"))),
        "Person": Complex(
            (
                _leaf("id", _NAME),
                _leaf("art", "Code"),
                *(_leaf(f"feld{number}", _NAME) for number in range(FIELDS)),
                _leaf("tag", "Tag"),
                _leaf("zusatz", _NAME, 0),
                _leaf("text", _TEXT),
                _leaf("amt", _NAME),
            )
        ),
        "Code": Complex((_leaf("code", _NAME),), (Attribute("listURI", True), Attribute("listVersionID", True))),
    },
    simple_types={
        _NAME: Simple("string", patterns=(r"\A[ -~\xa0-\u017f]*\Z",), least_length=1, most_length=200),
        _TEXT: Simple("string"),
        "Tag": Simple("date"),
        "Moment": Simple("dateTime"),
    },
)
