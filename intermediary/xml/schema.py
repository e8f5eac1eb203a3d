"""Compiling XML Schema from documents in memory, and counting a large document's errors without building up a log.

Only `validate` calls this. libxml2 reads imported schema files with a parser of its own that knows nothing of the gate;
therefore it is given nothing but documents that passed the gate, under made-up names, and every other name is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lxml import etree

from intermediary.core.faults import Misconfigured
from intermediary.xml.parser import Element

__all__ = ["Compiled", "Problem", "compile_schema", "has_more_errors_than", "problems"]

Compiled: TypeAlias = etree.XMLSchema

_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Problem:
    """One error of libxml2: `rule` is its error type, `path` its node path. The message quotes the document."""

    rule: str
    path: str
    line: int
    message: str = field(repr=False)


class _UnknownDocument(Exception):
    """libxml2 asked for something that is not among the documents it was given."""


class _Documents(etree.Resolver):
    def __init__(self, documents: Mapping[str, bytes]) -> None:
        super().__init__()
        self._documents = documents

    def resolve(  # type: ignore[override]
        self,
        system_url: str,
        public_id: str,
        context: object,
    ) -> object:
        data = self._documents.get(system_url)
        if data is None:
            raise _UnknownDocument
        return self.resolve_string(data, context)  # type: ignore[call-arg]


def compile_schema(documents: Mapping[str, bytes], entry: str, *, where: str, fills_in: bool = False) -> Compiled:
    """The compiled schema of `documents[entry]`, which refers to the others by their keys.

    The documents must come from the gate (`parse`, then serialised). Raises `Misconfigured("validate.schema.broken")`
    for whatever does not compile, also for a reference that is not a key; no file and no network is ever touched. With
    `fills_in` validating writes the attributes that the schema fixes or presets into the document.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    parser.resolvers.add(_Documents(documents))
    try:
        root = etree.fromstring(documents[entry], parser=parser, base_url=entry)
        options: Any = {"attribute_defaults": fills_in}  # lxml-stubs does not know it
        return etree.XMLSchema(root, **options)
    except (etree.XMLSchemaParseError, etree.XMLSyntaxError, _UnknownDocument) as error:
        raise Misconfigured("validate.schema.broken", where=where) from error


def problems(root: Element, schema: Compiled) -> tuple[Problem, ...]:
    """All errors of a document, in its order; empty when it is valid. One thread at a time per schema.

    Raises `lxml.etree.XMLSchemaError` when libxml2 gives up, or finds the document invalid without saying why.
    """
    if schema.validate(root):
        return ()
    log: Any = schema.error_log
    found = tuple(Problem(str(one.type_name), one.path or "", one.line, str(one.message)) for one in log)
    if not found:
        raise etree.XMLSchemaValidateError("invalid without an error")
    return found


class _Nothing:
    """What a parser builds when nobody wants a tree."""

    def close(self) -> None:
        """The end of the document."""


def has_more_errors_than(limit: int, root: Element, schema: Compiled) -> bool:
    """Whether a document breaks the schema in more than `limit` places; stops reading soon after.

    lxml logs every error with a path that costs the number of siblings: half a million errors would take minutes and
    hundreds of megabytes. Reading the document as a stream ends after the first few hundred. A no says nothing of validity:
    a stream is not asked about doubled ids.
    """
    nothing: Any = _Nothing()  # lxml calls only what is there; its stubs demand every method
    parser = etree.XMLParser(
        schema=schema,
        target=nothing,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        collect_ids=False,
    )
    data = memoryview(etree.tostring(root, encoding="UTF-8"))
    try:
        for start in range(0, len(data), _CHUNK):
            parser.feed(bytes(data[start : start + _CHUNK]))
            if len(parser.feed_error_log) > limit:
                return True
        parser.close()
    except etree.XMLSyntaxError:
        pass
    return len(parser.feed_error_log) > limit
