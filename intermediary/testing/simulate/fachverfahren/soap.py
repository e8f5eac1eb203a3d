"""The SOAP face: `einreichen` and `abfragen`, in line or as MTOM, with a WSDL of its own (SOAP 1.1)."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from intermediary.core.faults import Rejected
from intermediary.testing.faces.trouble import Disturbed
from intermediary.testing.simulate.fachverfahren.bodies import Unreadable, parts_of
from intermediary.testing.simulate.fachverfahren.inbox import Content, Inbox
from intermediary.testing.simulate.fachverfahren.rest import whole_body
from intermediary.xml.parser import Limits, parse

FACE = "soap"
OWN = "urn:simulator:fachverfahren"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XOP = "{http://www.w3.org/2004/08/xop/include}Include"
_LIMITS = Limits(max_bytes=512 * 1024**2, max_depth=100, max_nodes=100_000, max_token=512 * 1024**2)

WSDL = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:f="{OWN}"
  xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="{OWN}">
  <types>
    <x:schema targetNamespace="{OWN}" elementFormDefault="qualified">
      <x:element name="einreichen"><x:complexType><x:sequence>
        <x:element name="schluessel" type="x:string"/>
        <x:element name="mandant" type="x:string" minOccurs="0"/>
        <x:element name="datei" minOccurs="1" maxOccurs="unbounded"><x:complexType><x:sequence>
          <x:element name="name" type="x:string"/>
          <x:element name="inhalt" type="x:base64Binary"/>
        </x:sequence></x:complexType></x:element>
      </x:sequence></x:complexType></x:element>
      <x:element name="einreichenAntwort" type="f:antwort"/>
      <x:element name="abfragen"><x:complexType><x:sequence>
        <x:element name="schluessel" type="x:string"/>
      </x:sequence></x:complexType></x:element>
      <x:element name="abfragenAntwort" type="f:antwort"/>
      <x:complexType name="antwort"><x:sequence>
        <x:element name="status" type="x:string"/>
        <x:element name="vorgang" type="x:string" minOccurs="0"/>
        <x:element name="sha256" type="x:string" minOccurs="0"/>
      </x:sequence></x:complexType>
    </x:schema>
  </types>
  <message name="einreichenAnfrage"><part name="p" element="f:einreichen"/></message>
  <message name="einreichenAntwort"><part name="p" element="f:einreichenAntwort"/></message>
  <message name="abfragenAnfrage"><part name="p" element="f:abfragen"/></message>
  <message name="abfragenAntwort"><part name="p" element="f:abfragenAntwort"/></message>
  <portType name="Annahme">
    <operation name="einreichen"><input message="f:einreichenAnfrage"/><output message="f:einreichenAntwort"/></operation>
    <operation name="abfragen"><input message="f:abfragenAnfrage"/><output message="f:abfragenAntwort"/></operation>
  </portType>
  <binding name="Annahme" type="f:Annahme">
    <s:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="einreichen"><s:operation soapAction="{OWN}:einreichen"/>
      <input><s:body use="literal"/></input><output><s:body use="literal"/></output></operation>
    <operation name="abfragen"><s:operation soapAction="{OWN}:abfragen"/>
      <input><s:body use="literal"/></input><output><s:body use="literal"/></output></operation>
  </binding>
  <service name="Annahme"><port name="Annahme" binding="f:Annahme"><s:address location="LOCATION"/></port></service>
</definitions>
"""


class SoapFace:
    """Notes what `einreichen` brings; `abfragen` tells whether a key has arrived."""

    def __init__(self, inbox: Inbox, disturbed: Disturbed, url: str) -> None:
        self._inbox = inbox
        self._disturbed = disturbed
        self.wsdl = WSDL.replace("LOCATION", f"{url}/soap")

    def routes(self) -> list[Route]:
        return [Route("/soap", self._serve, methods=["GET", "POST"])]

    def write_wsdl(self, folder: Path) -> Path:
        """For a client that reads it from a file."""
        path = folder / "fachverfahren.wsdl"
        path.write_text(self.wsdl, encoding="utf-8")
        return path

    async def _serve(self, request: Request) -> Response:
        if request.method == "GET":
            return Response(self.wsdl, media_type="text/xml")
        body = b""

        async def read() -> None:
            nonlocal body
            body = await whole_body(request)

        answer, _ = await self._disturbed.answer(
            request,
            FACE,
            read=read,
            take=lambda struck: self._take(body, request.headers.get("content-type", ""), struck, is_refused=False),
            reject=lambda struck: self._take(body, request.headers.get("content-type", ""), struck, is_refused=True),
        )
        return answer

    def _take(self, body: bytes, media_type: str, struck: tuple[str, ...], *, is_refused: bool) -> Response:
        try:
            root, parts = _envelope(body, media_type)
            called = root.find(f"{{{SOAP}}}Body")[0]
            key = called.findtext(f"{{{OWN}}}schluessel") or ""
            if called.tag == f"{{{OWN}}}abfragen":
                return self._told(key)
            if called.tag != f"{{{OWN}}}einreichen":
                return fault("Client", "unknown operation")
            contents = [_content(one, parts) for one in called.iterfind(f"{{{OWN}}}datei")]
        except (Rejected, Unreadable, binascii.Error, IndexError, TypeError, KeyError):
            return fault("Client", "unreadable")
        if is_refused:
            self._inbox.note(FACE, key, contents, answer="Fault Client.Inhalt", trouble=struck, is_refused=True)
            return fault("Client.Inhalt", "E4711")
        return self._noted(key, contents, struck)

    def _noted(self, key: str, contents: list[Content], struck: tuple[str, ...]) -> Response:
        first = self._inbox.first(FACE, key)
        what = self._inbox.judged(FACE, key, tuple(one.piece for one in contents))
        if what == "abweichend":
            self._inbox.note(FACE, key, contents, answer="Fault Client.Schluessel", trouble=struck)
            return fault("Client.Schluessel", "key-reused")
        arrival = self._inbox.note(FACE, key, contents, answer="ANGENOMMEN", trouble=struck)
        number = first.number if what == "wiederholt" and first is not None else arrival.number
        sha256 = contents[0].piece.sha256 if contents else ""
        return _answer("einreichenAntwort", status="ANGENOMMEN", vorgang=f"FV-{number:06d}", sha256=sha256)

    def _told(self, key: str) -> Response:
        found = self._inbox.first(FACE, key)
        if found is None:
            return _answer("abfragenAntwort", status="UNBEKANNT")
        sha256 = found.pieces[0].sha256 if found.pieces else ""
        return _answer("abfragenAntwort", status="ANGENOMMEN", vorgang=f"FV-{found.number:06d}", sha256=sha256)


def fault(code: str, text: str) -> Response:
    """A SOAP fault; HTTP 500 as SOAP 1.1 demands (6.2)."""
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    told = etree.SubElement(etree.SubElement(root, f"{{{SOAP}}}Body"), f"{{{SOAP}}}Fault")
    etree.SubElement(told, "faultcode").text = f"soap:{code}"
    etree.SubElement(told, "faultstring").text = text
    return Response(etree.tostring(root), status_code=500, media_type="text/xml")


def _answer(name: str, **told: str) -> Response:
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    answer = etree.SubElement(etree.SubElement(root, f"{{{SOAP}}}Body"), f"{{{OWN}}}{name}")
    for one, value in told.items():
        etree.SubElement(answer, f"{{{OWN}}}{one}").text = value
    return Response(etree.tostring(root), media_type="text/xml")


def _envelope(body: bytes, media_type: str) -> tuple[Any, dict[str, bytes]]:
    """The envelope, and the MTOM parts by their Content-ID."""
    if not media_type.lower().startswith("multipart/related"):
        return parse(body, limits=_LIMITS), {}
    (_, _, _, first), *others = parts_of(body, media_type)
    return parse(first, limits=_LIMITS), {cid: data for cid, _, _, data in others}


def _content(element: Any, parts: dict[str, bytes]) -> Content:
    inside = element.find(f"{{{OWN}}}inhalt")
    include = inside.find(XOP)
    if include is not None:
        data = parts[include.get("href", "").removeprefix("cid:")]
    else:
        data = base64.b64decode("".join((inside.text or "").split()), validate=True)
    return Content.of(element.findtext(f"{{{OWN}}}name") or "", data)
