"""Reads what the target answers: a Fault, or the elements that the settings name; hostile XML like any other."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import unquote

from lxml import etree

from connectors.soap.settings import Faults, Reply
from intermediary.connect.api import (
    Fault,
    HttpAnswer,
    Misconfigured,
    Rejected,
    Transient,
    Unclear,
    XmlLimits,
    parse_xml,
)

_SOAP = ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")
_LIMITS = XmlLimits(max_bytes=64 * 1024 * 1024, max_depth=100)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}")
_INCLUDE = "{http://www.w3.org/2004/08/xop/include}Include"
_NOT_PROCESSED = frozenset({"MustUnderstand", "VersionMismatch", "DataEncodingUnknown"})
_SECURITY = frozenset(
    {
        "UnsupportedSecurityToken",
        "UnsupportedAlgorithm",
        "InvalidSecurity",
        "InvalidSecurityToken",
        "FailedAuthentication",
        "FailedCheck",
        "SecurityTokenUnavailable",
        "MessageExpired",
    }
)
_PARTS_OF_A_FAULT = frozenset({"faultcode", "faultstring", "faultactor", "Code", "Reason", "Node", "Role"})
UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class Said:
    """A readable answer: the Body, or the names of a Fault."""

    body: Any = field(repr=False)
    faults: tuple[str, ...] = ()
    sha256: str = ""
    parts: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def is_fault(self) -> bool:
        return bool(self.faults)

    def text(self, name: str) -> str:
        """The text of the first element of this name in the Body, empty without one."""
        found = next(self.body.iter(f"{{*}}{name}"), None) if name and self.body is not None else None
        return (found.text or "").strip() if found is not None else ""

    def content(self, name: str) -> bytes:
        """What the first element of this name carries: a part of MTOM, base64, or the XML within; empty without one.

        ValueError when it is neither.
        """
        found = next(self.body.iter(f"{{*}}{name}"), None) if self.body is not None else None
        if found is None:
            return b""
        if len(found) == 0:
            return base64.b64decode("".join((found.text or "").split()), validate=True)
        if len(found) > 1:
            raise ValueError("more than one document")
        if found[0].tag == _INCLUDE:
            return self.parts[unquote(found[0].get("href", "").removeprefix("cid:"))]
        return bytes(etree.tostring(found[0], with_tail=False))

    def code(self, name: str) -> str:
        """The same, if it looks like a code or an id: anything else may be about a citizen and is left out."""
        text = self.text(name)
        return text if _CODE.fullmatch(text) else ""


def read_answer(answer: HttpAnswer, faults: Faults) -> Said | None:
    """What a body says, or None when there is none that is SOAP."""
    sha256 = hashlib.sha256(answer.body).hexdigest()
    envelope, parts = _parts_of(answer)
    try:
        root = parse_xml(envelope, limits=_LIMITS)
    except Rejected:
        return None
    soap = next((one for one in _SOAP if root.tag == f"{{{one}}}Envelope"), None)
    body = None if soap is None else root.find(f"{{{soap}}}Body")
    if soap is None or body is None:
        return None
    fault = body.find(f"{{{soap}}}Fault")
    if fault is None:
        return Said(body, (), sha256, parts)
    return Said(body, tuple(dict.fromkeys(_names(fault, soap, faults.code))) or (UNSPECIFIED,), sha256)


def fault_of(said: Said, faults: Faults, answer: HttpAnswer) -> Fault:
    """Who can heal a Fault. What nobody has told us may have had its effect: `Unclear` (promise G4)."""
    names, place = frozenset(said.faults), f"fault: {said.faults[0]}"
    if names & frozenset(faults.refused):
        return Rejected("target.refused", where=place)
    if names & frozenset(faults.transient):
        return Transient("target.unreachable", where=answer.place(place), retry_after=answer.retry_after)
    if names & _SECURITY:
        return Misconfigured("target.credentials", where=place)
    if names & (frozenset(faults.operator) | _NOT_PROCESSED):
        return Misconfigured("target.misconfigured", where=place)
    return Unclear("target.fault", where=place)


def proof_of(said: Said, reply: Reply) -> dict[str, str]:
    """What the answer adds to a proof: its hash and the target's reference."""
    reference = said.code(reply.reference)
    return {"answer_sha256": said.sha256, **({"reference": reference} if reference else {})}


def _names(fault: Any, soap: str, code: str) -> Iterator[str]:
    """Every name of a Fault that looks like one: subcodes and code, elements of its detail, the detail's own code.

    PHP puts what should be in the detail into the Fault itself; it counts there, too.
    """
    coded = fault.findall("faultcode") if soap == _SOAP[0] else fault.findall(f"{{{soap}}}Code//{{{soap}}}Value")
    found = [(element.text or "").strip().rpartition(":")[2] for element in reversed(coded)]
    for element in fault:
        name = element.tag.rpartition("}")[2]
        if name in ("detail", "Detail"):
            found += [one.tag.rpartition("}")[2] for one in element]
        elif name not in _PARTS_OF_A_FAULT:
            found.append(name)
    if code:
        found += [(element.text or "").strip() for element in fault.iter(f"{{*}}{code}")]
    yield from (name for name in found if _CODE.fullmatch(name))


def _parts_of(answer: HttpAnswer) -> tuple[bytes, dict[str, bytes]]:
    """The envelope of an answer, its body or the root part of a multipart/related one (MTOM); and the other parts by id."""
    content_type = answer.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/related"):
        return answer.body, {}
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + answer.body)
    start = str(message.get_param("start") or "")
    parts = list(message.iter_parts()) if message.is_multipart() else []
    root = next((part for part in parts if start and part["Content-ID"] == start), parts[0] if parts else None)
    others = {str(part["Content-ID"]).strip("<>"): _data(part) for part in parts if part is not root}
    return (_data(root) if root is not None else b""), others


def _data(part: Any) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""
