"""What an e-file says about a package: xdomea 0402 (import confirmation) and 0403 (receipt), read from hostile bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from connectors.eakte_xdomea.container import Unreadable, message_of
from intermediary.connect.api import Rejected, XmlLimits, parse_xml

Kind = Literal["0402", "0403"]

_LIMITS = XmlLimits(max_bytes=4 * 1024 * 1024, max_depth=50, max_nodes=100_000, max_token=1024 * 1024)
_ROOT = re.compile(
    r"\{(?P<namespace>urn:xoev-de:xdomea:schema:[0-9]+\.[0-9]+\.[0-9]+)\}"
    r"(?:Abgabe\.ImportBestaetigen\.(?P<import>0402)|Abgabe\.EmpfangBestaetigen\.(?P<receipt>0403))"
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class Objekt:
    """What became of one Schriftgutobjekt; `codes` are those of the e-file, never its free text."""

    id: str
    is_imported: bool
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: to which process, a receipt (0403, no objects) or an import confirmation (0402), and its hash."""

    prozess_id: str
    kind: Kind
    objects: tuple[Objekt, ...]
    sha256: str

    @property
    def is_refusal(self) -> bool:
        """Whether any object was not imported."""
        return any(not one.is_imported for one in self.objects)


def read_answer(data: bytes) -> Answer:
    """The answer in a file of the e-file, an XML document or a ZIP with one; raises `Unreadable` for anything else.

    Read as xdomea 2.3 to 4.0 write it (Abgabe durchführen). What cannot be understood for certain is unreadable:
    a person looks at it, no verdict is made of it.
    """
    try:
        root = parse_xml(message_of(data), limits=_LIMITS)
    except Rejected as fault:
        raise Unreadable(fault.code) from None
    name = _ROOT.fullmatch(root.tag)
    if name is None:
        raise Unreadable("root")
    tags = _Tags(name["namespace"])
    kind: Kind = "0402" if name["import"] else "0403"
    kopf = tags.one(root, "Kopf")
    _demand_kind(tags.one(kopf, "Nachrichtentyp"), kind)
    objects = tuple(_objects(tags, root)) if kind == "0402" else ()
    if kind == "0402" and not objects:
        raise Unreadable("AbgegebenesObjekt")
    return Answer(_uuid(tags.one(kopf, "ProzessID")), kind, objects, hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class _Tags:
    """Children by name in the namespace of the message."""

    namespace: str

    def all(self, parent: Any, name: str) -> list[Any]:
        return list(parent.findall(f"{{{self.namespace}}}{name}"))

    def one(self, parent: Any, name: str) -> Any:
        found = self.all(parent, name)
        if len(found) != 1:
            raise Unreadable(name)
        return found[0]


def _objects(tags: _Tags, root: Any) -> Iterator[Objekt]:
    for element in tags.all(root, "AbgegebenesObjekt"):
        is_imported = _BOOLEANS.get(_text(tags.one(element, "Erfolgreich")))
        if is_imported is None:
            raise Unreadable("Erfolgreich")
        codes = {code for entry in tags.all(element, "FehlermeldungCode") for code in _codes(entry)}
        yield Objekt(_uuid(tags.one(element, "IDSGO")), is_imported, tuple(sorted(codes)))


def _codes(entry: Any) -> Iterator[str]:
    """Anything that does not look like a code may be about a citizen and is left out."""
    for code in entry.findall("{*}code"):
        text = _text(code)
        yield text if _CODE.fullmatch(text) else UNSPECIFIED


def _demand_kind(element: Any, kind: Kind) -> None:
    if [_text(code) for code in element.findall("{*}code")] != [kind]:
        raise Unreadable("Nachrichtentyp")


def _uuid(element: Any) -> str:
    text = _text(element).lower()
    if not _UUID.fullmatch(text):
        raise Unreadable("UUID")
    return text


def _text(element: Any) -> str:
    return (element.text or "").strip(" \t\r\n")
