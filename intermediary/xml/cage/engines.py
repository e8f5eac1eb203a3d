"""The two processors of stylesheets, as the child uses them: libxslt for XSLT 1.0, SaxonC-HE for 2.0 and 3.0.

Only the child imports this. Neither processor is given a way to a file, a host, the environment or a function that is
not XSLT's own; that the operating system refuses them as well is the child's business (`child`).
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from lxml import etree

_LXML: Any = etree
_NOTHING = _LXML.XSLTAccessControl.DENY_ALL
_ON_LINE = re.compile(r"\bon line ([0-9]{1,9})\b")


class NotCompiled(Exception):
    """A stylesheet is none; the text is about the stylesheet, for no document has been seen yet. `line` 0: not known."""

    def __init__(self, text: str, line: int = 0) -> None:
        super().__init__(text)
        self.line = line


class Broken(Exception):
    """A stylesheet did not come to its end; without a text, for that could quote the document. `line` 0: not known."""

    def __init__(self, line: int = 0) -> None:
        super().__init__(f"line {line}")
        self.line = line


class Engine(Protocol):
    """Compiles once, parses once, runs often."""

    def compile(self, text: bytes) -> Any: ...

    def parse(self, document: bytes) -> Any: ...

    def run(self, compiled: Any, document: Any) -> bytes: ...


class Libxslt:
    """XSLT 1.0 by libxslt, with everything denied that reads or writes."""

    def __init__(self) -> None:
        self._parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)

    def compile(self, text: bytes) -> etree.XSLT:
        try:
            return etree.XSLT(etree.fromstring(text, parser=self._parser), access_control=_NOTHING)
        except (etree.XSLTParseError, etree.XMLSyntaxError) as error:
            raise NotCompiled(str(error), _line_of(error.error_log)) from None

    def parse(self, document: bytes) -> etree._ElementTree:
        return etree.ElementTree(etree.fromstring(document, parser=self._parser))

    def run(self, compiled: etree.XSLT, document: etree._ElementTree) -> bytes:
        try:
            result = compiled(document)
        except etree.XSLTError as error:
            raise Broken(_line_of(error.error_log)) from error
        stylesheet: Any = compiled
        if len(stylesheet.error_log):  # whatever libxslt says while it works is about something it could not do
            raise Broken
        return bytes(result)


class Saxon:
    """XSLT 2.0 and 3.0 by SaxonC-HE; `ImportError` when saxonche is not installed."""

    _FEATURES = (
        ("http://saxon.sf.net/feature/allowedProtocols", ""),
        ("http://saxon.sf.net/feature/allow-external-functions", "false"),
        ("http://saxon.sf.net/feature/disableXslEvaluate", "true"),
        # Its parser has limits of its own, below those of the gate: a depth of 100, 200 attributes.
        *(
            (f"http://saxon.sf.net/feature/parserProperty?uri=jdk.xml.{limit}", "0")
            for limit in (
                "maxElementDepth",
                "elementAttributeLimit",
                "maxXMLNameLimit",
                "totalEntitySizeLimit",
                "maxGeneralEntitySizeLimit",
            )
        ),
    )

    def __init__(self) -> None:
        import saxonche

        self._error: type[Exception] = saxonche.PySaxonApiError
        self._processor = saxonche.PySaxonProcessor(license=False)
        self._processor.set_cwd("/")
        for feature, value in self._FEATURES:
            self._processor.set_configuration_property(feature, value)
        self._compiler = self._processor.new_xslt30_processor()

    def compile(self, text: bytes) -> Any:
        try:
            return self._compiler.compile_stylesheet(stylesheet_text=text.decode())
        except self._error as error:
            named = _ON_LINE.search(str(error))
            raise NotCompiled(str(error), int(named[1]) if named else 0) from None

    def parse(self, document: bytes) -> Any:
        try:
            return self._processor.parse_xml(xml_text=document.decode())
        except self._error as error:
            raise Broken from error

    def run(self, compiled: Any, document: Any) -> bytes:
        try:
            compiled.set_global_context_item(xdm_item=document)
            result = compiled.transform_to_string(xdm_node=document)
        except self._error as error:
            raise Broken from error
        if not isinstance(result, str):
            raise Broken
        return result.encode()


def _line_of(log: Any) -> int:
    """Where in the stylesheet: libxslt names an element and its line before it says what is wrong."""
    return next((entry.line for entry in log if entry.line and "error, element" in entry.message), 0)
