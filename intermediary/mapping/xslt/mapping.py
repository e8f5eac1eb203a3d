"""A mapping written in XSLT, under the same port as one written in Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.ports import Antrag, Kontext
from intermediary.core.values import Ausgabe, Befund
from intermediary.mapping.accessor import Payload
from intermediary.mapping.builder import BuildError
from intermediary.mapping.findings import REFUSED
from intermediary.mapping.package import package
from intermediary.mapping.settings import read_settings
from intermediary.mapping.structure import Shape
from intermediary.mapping.xslt.entry import attached, entry, form_data
from intermediary.mapping.xslt.replay import place_of, replay
from intermediary.mapping.xslt.stylesheet import Stylesheet
from intermediary.xml.cage.cage import Cage, Caged, CageLimits
from intermediary.xml.parser import Element, parse

BEFUNDE = "{urn:intermediary:befunde:1}befunde"
LIMITS = CageLimits(cpu_seconds=5, wall_seconds=120)
_MESSAGE_ID = "/Nachricht"


class XsltMapping:
    """The port `Mapping` around a stylesheet: its result is checked, ordered and written by the shape of the target.

    The stylesheet reads the document that `entry` describes. It makes the message, or `befunde` with one `befund`
    (`regel`, `pfad`, `hinweis`) for each reason to refuse the application. `ids` are the paths of objects that need a UUID.
    The package is a ZIP of the message, the form data as received and all attachments. `unread` names the fields that no
    expression of the stylesheet mentions; a stylesheet that looks at everything (`*`) can have read them all the same.
    It runs in a caged child of this process: no file, no network, bounded time and memory.
    """

    def __init__(
        self,
        *,
        name: str,
        version: int,
        input_root: str,
        standard: str,
        message: str,
        stylesheet: Stylesheet,
        shape: Shape,
        settings_type: type[Any],
        ids: Sequence[str] = (),
        limits: CageLimits = LIMITS,
    ) -> None:
        self.name = name
        self.version = version
        self.input_root = input_root
        self.standard = standard
        self.settings_type = settings_type
        self._message = message
        self._stylesheet = stylesheet
        self._shape = shape
        self._ids = tuple(ids)
        self._cage = Cage(limits)

    def map(self, antrag: Antrag, kontext: Kontext) -> Ausgabe:
        """The package; raises as the port says, and `BuildError` with the line of the stylesheet for its defects."""
        settings = read_settings(self.settings_type, kontext.settings)
        values = {one.name: str(getattr(settings, one.name)) for one in fields(settings)}
        files = attached(antrag.attachments, kontext)
        message_id = f"{_MESSAGE_ID}[{kontext.revision}]"
        ids = (message_id, *self._ids)
        root = self._run(entry(antrag.tree, files, kontext, values, ids))
        if root.tag == BEFUNDE:
            raise Rejected(REFUSED, findings=tuple(_befunde(root, self._stylesheet.file)))
        built = replay(root, self._shape, file=self._stylesheet.file)
        uuid = kontext.id_for(message_id)
        dokumente = (form_data(antrag.payload.content, kontext), *(one.dokument for one in files))
        return Ausgabe(
            standard=self.standard,
            message=self._message,
            nachricht=built.xml,
            package=package(uuid, self._message, built.xml, dokumente),
            dokumente=dokumente,
            herkunft=built.herkunft,
            unread=tuple(one for one in Payload(antrag.tree).unread() if _name(one) not in self._stylesheet.names),
            business_keys={"nachrichtenUUID": uuid},
        )

    def _run(self, document: bytes) -> Element:
        file = self._stylesheet.file
        try:
            (output,) = self._cage.run(document, [self._stylesheet.sheet])
        except Caged as caged:
            if caged.reason == "missing":
                raise Misconfigured("mapping.processor.missing", where=f"mapping {self.name}@{self.version}") from None
            line = f"{file}:{caged.line}" if caged.line else file
            raise BuildError(path="/", rule=_RULES[caged.reason], line=line) from caged
        try:
            return parse(output)
        except Rejected as refusal:
            raise BuildError(path="/", rule=f"makes no XML document ({refusal.code})", line=file) from None


_RULES = {
    "compile": "the stylesheet does not compile",
    "run": "the stylesheet breaks off",
    "limit": "the stylesheet does not come to an end within its limits",
}


def _befunde(root: Element, file: str) -> Iterator[Befund]:
    for one in root:
        rule, path, hint = (str(one.get(name, "")) for name in ("regel", "pfad", "hinweis"))
        if not rule or not hint:
            raise BuildError(path="/befunde/befund", rule="regel and hinweis are needed", line=place_of(one, file))
        yield Befund(code=REFUSED, path=path, rule=rule, hint=hint)
    if not len(root):
        raise BuildError(path="/befunde", rule="a refusal has reasons", line=place_of(root, file))


def _name(path: str) -> str:
    return path.rpartition("/")[2].partition("[")[0]
