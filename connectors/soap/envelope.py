"""Makes the HTTP request of an operation: envelope, holes filled or streamed, and for MTOM the MIME parts around it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from connectors.soap.pieces import MARK, Hole
from connectors.soap.wsdl import Operation
from intermediary.connect.api import Base64, Body, Content, HttpRequest, Misconfigured, Rejected, parse_xml

_XOP = "http://www.w3.org/2004/08/xop/include"
_ROOT = "root@intermediary"
_TOKEN = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")

BodyParts = tuple[bytes | Content | Base64, ...]


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope whose contents are still holes; `root` may be changed (security header) until it is written."""

    root: Any = field(repr=False)
    holes: Mapping[bytes, Hole] = field(repr=False)

    def fill(self) -> None:
        """Put the target XML into the tree where an argument takes it as elements or text.

        `Misconfigured("mapping.output.invalid")` when it is no XML.
        """
        for element in list(self.root.iter("*")):
            hole = self.holes.get((element.text or "").encode())
            if hole is None:
                continue
            if hole.form == "text":
                element.text = _text_of(hole.content)
            elif hole.form == "xml":
                element.text = None
                element.append(_parsed(hole.content))
            elif hole.form == "root":
                element.getparent().replace(element, _parsed(hole.content))
            else:
                element.text = element.text  # where zeep would only take CDATA: a reference in CDATA is none

    def parts(self, data: bytes) -> tuple[bytes | Hole, ...]:
        """Bytes of this envelope, with the holes in their places."""
        return tuple(self._parts(data))

    def infoset(self, element: Any) -> BodyParts:
        """An element in exclusive canonical form, every content as base64: what a signature covers (XOP 1.0, 5)."""
        canonical = etree.tostring(element, method="c14n", exclusive=True)
        return tuple(Base64(part.content) if isinstance(part, Hole) else part for part in self.parts(canonical))

    def _parts(self, data: bytes) -> Iterator[bytes | Hole]:
        end = 0
        for mark in MARK.finditer(data):
            hole = self.holes.get(mark.group())
            if hole is not None:
                yield data[end : mark.start()]
                yield hole
                end = mark.end()
        yield data[end:]


def make_request(
    operation: Operation, envelope: Envelope, action: str, headers: Mapping[str, str], key: str
) -> HttpRequest:
    """The request with its body as a stream; the same for the same envelope and key."""
    data = etree.tostring(envelope.root, xml_declaration=True, encoding="utf-8")
    body, files = _with_files(envelope.parts(data))
    soap_type = "application/soap+xml" if operation.is_12 else "text/xml"
    action_parameter = f'; action="{action}"' if operation.is_12 and action else ""
    headers = {**headers, **({} if operation.is_12 else {"SOAPAction": f'"{action}"'})}
    if not files:
        return HttpRequest(
            "POST",
            headers={**headers, "Content-Type": f"{soap_type}; charset=utf-8{action_parameter}"},
            body=Body(body),
        )
    boundary = f"part-{uuid.uuid5(uuid.UUID(int=0), key).hex}"
    head = f'application/xop+xml; charset=UTF-8; type="{soap_type}"'
    parts: list[bytes | Content | Base64] = [_part_head(boundary, head, _ROOT, "8bit"), *body]
    for number, hole in enumerate(files):
        parts += [b"\r\n", _part_head(boundary, _media_type(hole), _cid(number), "binary"), hole.content]
    parts.append(f"\r\n--{boundary}--\r\n".encode())
    content_type = (
        f'multipart/related; type="application/xop+xml"; boundary="{boundary}"; start="<{_ROOT}>"; '
        f'start-info="{soap_type}"{action_parameter}'
    )
    return HttpRequest(
        "POST", headers={**headers, "Content-Type": content_type, "MIME-Version": "1.0"}, body=Body(tuple(parts))
    )


def _with_files(parts: tuple[bytes | Hole, ...]) -> tuple[BodyParts, list[Hole]]:
    """The envelope's bytes with base64 in line and a reference for each file, and the files in their order."""
    made: list[bytes | Content | Base64] = []
    files: list[Hole] = []
    for part in parts:
        if not isinstance(part, Hole):
            made.append(part)
        elif part.form == "mtom":
            made.append(f'<xop:Include xmlns:xop="{_XOP}" href="cid:{_cid(len(files))}"/>'.encode())
            files.append(part)
        else:
            made.append(Base64(part.content))
    return tuple(made), files


def _part_head(boundary: str, content_type: str, cid: str, encoding: str) -> bytes:
    lines = [f"--{boundary}", f"Content-Type: {content_type}"]
    lines += [f"Content-Transfer-Encoding: {encoding}", f"Content-ID: <{cid}>"]
    return "\r\n".join((*lines, "", "")).encode()


def _cid(number: int) -> str:
    return f"file-{number}@intermediary"


def _media_type(hole: Hole) -> str:
    return hole.media_type if _TOKEN.fullmatch(hole.media_type) else "application/octet-stream"


def _parsed(content: Content) -> Any:
    try:
        return parse_xml(content)
    except Rejected as fault:
        raise Misconfigured("mapping.output.invalid", where=f"nachricht: {fault.code}") from fault


def _text_of(content: Content) -> str:
    try:
        with content.open() as stream:
            return stream.read(content.length).decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise Misconfigured("mapping.output.invalid", where="nachricht") from error
