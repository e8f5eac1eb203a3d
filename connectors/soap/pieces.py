"""The pieces of one Zustellauftrag, made into the arguments of an operation.

Texts are put in at once. Contents leave a *hole*: zeep writes a mark, and the content itself is streamed in its place when
the request goes out, so that no document is ever held.
"""

from __future__ import annotations

import re
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from lxml import etree
from zeep.xsd.valueobjects import CompoundValue

from connectors.soap.sources import FORMS, OF_DOCUMENTS, TEXTS, Form, flat
from intermediary.connect.api import Content, Dokument, Misconfigured, Zustellauftrag

MARK = re.compile(rb"hole-[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Hole:
    """A place in the envelope where a content goes, as a form; `media_type` is that of its MIME part."""

    form: Form
    content: Content = field(repr=False)
    media_type: str


@dataclass(slots=True)
class Pieces:
    """What one Zustellauftrag puts into a request: the arguments as zeep wants them, and the holes by their mark."""

    auftrag: Zustellauftrag
    holes: dict[bytes, Hole] = field(default_factory=dict)

    def arguments(self, table: Mapping[str, object]) -> dict[str, Any]:
        """The nested arguments that `table` describes (path = source). `a.b[].c` is one `b` for each document.

        Raises `Misconfigured` for what this Zustellauftrag does not have.
        """
        made: dict[str, Any] = {}
        for path, source in flat(table).items():
            self._put(made, tuple(path.split(".")), source, None)
        return made

    def texts(self, table: Mapping[str, str]) -> dict[str, str]:
        """The same for HTTP headers: texts only."""
        return {name: self._text(source, None) for name, source in table.items()}

    def _put(self, into: dict[str, Any], path: tuple[str, ...], source: str, dokument: Dokument | None) -> None:
        name, rest = path[0].removesuffix("[]"), path[1:]
        if not path[0].endswith("[]"):
            if rest:
                self._put(into.setdefault(name, {}), rest, source, dokument)
            else:
                into[name] = self._value(name, source, dokument)
            return
        rows = into.setdefault(name, [{} if rest else None for _ in self.auftrag.dokumente])
        for number, one in enumerate(self.auftrag.dokumente):
            if rest:
                self._put(rows[number], rest, source, one)
            else:
                rows[number] = self._value(name, source, one)

    def _value(self, name: str, source: str, dokument: Dokument | None) -> Any:
        subject, _, form = source.rpartition(".")
        text = (
            self._text(source, dokument) if form not in FORMS.get(subject, ()) else self._hole(subject, form, dokument)
        )
        return etree.CDATA(text) if name == "_value_1" else Written(text)

    def _text(self, source: str, dokument: Dokument | None) -> str:
        if source.startswith("="):
            return source[1:]
        if source in TEXTS:
            return TEXTS[source](self.auftrag)
        if dokument is not None and source in OF_DOCUMENTS:
            return OF_DOCUMENTS[source](dokument)
        found = self.auftrag.business_keys.get(source.removeprefix("business."))
        if found is None:
            raise Misconfigured("target.misconfigured", where=f"arguments: {source}")
        return found

    def _hole(self, subject: str, form: str, dokument: Dokument | None) -> str:
        content, media_type = self._content(subject, dokument)
        mark = f"hole-{uuid.uuid5(uuid.UUID(int=len(self.holes)), self.auftrag.key).hex}"
        self.holes[mark.encode()] = Hole(cast("Form", form), content, media_type)
        return mark

    def _content(self, subject: str, dokument: Dokument | None) -> tuple[Content, str]:
        if subject == "package":
            dokument = self.auftrag.package
        elif subject == "message":
            if self.auftrag.nachricht is None:
                raise Misconfigured("mapping.output.invalid", where="nachricht")
            return self.auftrag.nachricht, "application/xml"
        if dokument is None:
            raise Misconfigured("target.misconfigured", where=f"arguments: {subject}")
        return dokument.content, dokument.media_type


class _Mark:
    """The type of a value that is written as it stands, whatever the schema calls it: zeep asks a value for its type."""

    def render(self, node: Any, value: Any, _type: object, _path: object) -> None:
        node.text = value.text


class Written(CompoundValue):
    """A text as an argument of any type: whether it is a number or a date is between the operator and the target."""

    _xsd_type: Any = _Mark()

    def __init__(self, text: str) -> None:
        self.__values__ = OrderedDict(text=text)

    def __str__(self) -> str:
        return str(self.text)
