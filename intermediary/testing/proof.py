"""What must hold of every mapping, whatever it reads and writes, said of one application at a time.

Twice the same bytes, officially valid, an origin for every leaf that names what is there, nothing that was sent along
lost; a refusal with its reasons. Tests ask it for thousands of applications (`variants`).
"""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Rejected
from intermediary.core.ports import Antrag, Kontext, Mapping
from intermediary.core.values import Ausgabe
from intermediary.mapping.accessor import Payload
from intermediary.testing.golden import without_origin
from intermediary.validate.catalogue import Catalogue
from intermediary.xml.parser import Element, parse


@dataclass(frozen=True, slots=True)
class Proof:
    """What came out, and what is wrong with it as sentences without values; empty when all holds."""

    outcome: Ausgabe | Rejected = field(repr=False)
    flaws: tuple[str, ...]

    @property
    def rules(self) -> frozenset[str]:
        """The rules that refused; none when the application was accepted."""
        return (
            frozenset(one.rule for one in self.outcome.findings) if isinstance(self.outcome, Rejected) else frozenset()
        )


def prove(mapping: Mapping, antrag: Antrag, kontext: Kontext, official: Catalogue) -> Proof:
    """Map an application twice and judge what comes out; `official` has the schemas of everything the mapping writes.

    Whatever the mapping raises besides `Rejected` is raised again: an application that its schema allows breaks nothing
    and waits for nobody.
    """
    first, second = (_mapped(mapping, antrag, kontext) for _ in range(2))
    if isinstance(first, Rejected) or isinstance(second, Rejected):
        return Proof(first, tuple(_of_refusals(first, second)))
    return Proof(first, (*_of_repetition(first, second), *_of_output(first, antrag, official)))


def _mapped(mapping: Mapping, antrag: Antrag, kontext: Kontext) -> Ausgabe | Rejected:
    try:
        return mapping.map(antrag, kontext)
    except Rejected as refusal:
        return refusal


def _of_refusals(first: Ausgabe | Rejected, second: Ausgabe | Rejected) -> Iterator[str]:
    if not isinstance(first, Rejected) or not isinstance(second, Rejected):
        yield "refused and accepted the same application"
        return
    if (first.code, first.findings) != (second.code, second.findings):
        yield "refused twice with different reasons"
    if first.code not in CATALOGUE:
        yield f"refused with the unknown code {first.code}"
    if not first.findings:
        yield "refused without a reason"
    for one in first.findings:
        if not one.rule or not one.hint or not one.path:
            yield f"refused by {one.rule or 'no rule'} without saying what and where"


def _of_repetition(first: Ausgabe, second: Ausgabe) -> Iterator[str]:
    if first.package.file_name != second.package.file_name or _package(first) != _package(second):
        yield "two runs give different packages"
    if (first.herkunft, first.unread, first.business_keys) != (second.herkunft, second.unread, second.business_keys):
        yield "two runs tell different origins, unread fields or keys"


def _of_output(ausgabe: Ausgabe, antrag: Antrag, official: Catalogue) -> Iterator[str]:
    verdict = official.validate(parse(ausgabe.nachricht))
    if not verdict.ran:
        yield "no schema of the target is installed"
    for one in (*verdict.findings, *verdict.not_run):
        yield f"not valid: {one.path} {one.rule}"
    for place in without_origin(ausgabe):
        yield f"no origin, or more than one: {place}"
    yield from _of_origins(ausgabe, antrag)
    yield from _of_package(ausgabe, antrag)


def _of_origins(ausgabe: Ausgabe, antrag: Antrag) -> Iterator[str]:
    """An origin that names an input names one that was sent, and a field that nobody read is nobody's origin."""
    if antrag.tree is None:
        return
    places = set(_places(antrag.tree))
    named = {one.source for one in ausgabe.herkunft if one.kind == "input"}
    yield from (f"an origin names {path}, which was not sent" for path in sorted(named - places))
    yield from (f"{path} is an origin and told as unread" for path in sorted(named & set(ausgabe.unread)))


def _of_package(ausgabe: Ausgabe, antrag: Antrag) -> Iterator[str]:
    """The package is the message alone, or a ZIP of it and all documents; every attachment is somewhere."""
    data = _package(ausgabe)
    if ausgabe.package.media_type == "application/zip":
        archive = zipfile.ZipFile(io.BytesIO(data))
        names = archive.namelist()
        if names[1:] != [one.file_name for one in ausgabe.dokumente] or len(set(names)) < len(names):
            yield "the package does not hold the documents, each under its name"
        elif archive.read(names[0]) != ausgabe.nachricht:
            yield "the package holds another message"
    elif data != ausgabe.nachricht:
        yield "the package is not the message"
    documents = {one.content.sha256 for one in ausgabe.dokumente}
    for number, part in enumerate(antrag.attachments, 1):
        inside = part.content.read()
        if part.content.sha256 not in documents and not (inside and base64.b64encode(inside) in ausgabe.nachricht):
            yield f"attachment {number} is lost"


def _places(tree: Element) -> Iterator[str]:
    """Every element and attribute, spelled as the accessor spells it."""
    payload = Payload(tree)
    yield payload.path
    yield from (f"{payload.path}/@{name}" for name in map(str, tree.attrib))
    yield from (one.source for one in payload.texts())


def _package(ausgabe: Ausgabe) -> bytes:
    return ausgabe.package.content.read()
