"""What an answer says, whoever wrote it, and however hostile."""

from __future__ import annotations

import pytest

from connectors.soap.answer import UNSPECIFIED, read_answer
from connectors.soap.settings import Faults
from intermediary.connect.api import HttpAnswer

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"


def _names(body: str, *, soap: str = SOAP_11, code: str = "") -> tuple[str, ...]:
    envelope = f'<e:Envelope xmlns:e="{soap}" xmlns:f="urn:f"><e:Body>{body}</e:Body></e:Envelope>'
    said = read_answer(HttpAnswer(500, body=envelope.encode()), Faults(code=code))
    assert said is not None
    return said.faults


def test_names_of_a_fault_of_soap_11() -> None:
    """Its code without prefix, the elements of its detail, and the detail's own code where the settings name it."""
    detail = "<detail><f:Fehler><f:nr>E17</f:nr></f:Fehler></detail>"
    fault = f"<e:Fault><faultcode>e:Client.Inhalt</faultcode><faultstring>Frau X</faultstring>{detail}</e:Fault>"

    assert ("Client.Inhalt", "Fehler", "E17") == _names(fault, code="nr")
    assert ("Client.Inhalt", "Fehler") == _names(fault)


def test_names_of_a_fault_of_soap_12() -> None:
    """The innermost subcode first: it says most."""
    code = "<e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>f:Doppelt</e:Value></e:Subcode></e:Code>"
    fault = f"<e:Fault>{code}<e:Reason><e:Text>Frau X</e:Text></e:Reason><e:Detail><f:Nochmal/></e:Detail></e:Fault>"

    assert ("Doppelt", "Sender", "Nochmal") == _names(fault, soap=SOAP_12)


@pytest.mark.parametrize("inner", ["", "<faultcode>Erika Mustermann fehlt</faultcode>"])
def test_a_fault_without_a_name_has_one(inner: str) -> None:
    """Free text is nobody's code."""
    assert (UNSPECIFIED,) == _names(f"<e:Fault>{inner}</e:Fault>")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502 Bad Gateway</html>",
        b'<!DOCTYPE x [<!ENTITY e "e">]><x/>',
        f'<e:Envelope xmlns:e="{SOAP_11}"/>'.encode(),
        b'<e:Envelope xmlns:e="urn:other"><e:Body/></e:Envelope>',
    ],
)
def test_what_is_no_soap_says_nothing(body: bytes) -> None:
    """Its status decides then."""
    assert read_answer(HttpAnswer(200, body=body), Faults()) is None


def test_an_answer_may_come_as_mtom() -> None:
    """The root part is the one that `start` names, else the first."""
    parts = (
        b"--b\r\nContent-ID: <file>\r\n\r\nnoise\r\n--b\r\nContent-Type: application/xop+xml\r\nContent-ID: <root>\r\n\r\n"
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><a><nr>AZ-1</nr></a></e:Body></e:Envelope>'
        b"\r\n--b--\r\n"
    )
    headers = {"content-type": 'multipart/related; boundary="b"; start="<root>"; type="application/xop+xml"'}
    said = read_answer(HttpAnswer(200, headers, parts), Faults())

    assert said is not None
    assert "AZ-1" == said.code("nr")


_XOP = '<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:{}"/>'


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("", b""),
        ("<doc/>", b""),
        ("<doc> PGEvP\ng== </doc>", b"<a/>"),
        ("<doc><a>1</a> </doc>", b"<a>1</a>"),
        (f"<doc>{_XOP.format('file%40x')}</doc>", b"PK\x00\r\n--noise"),
        ("<doc>no base64!</doc>", None),
        ("<doc><a/><b/></doc>", None),
        (f"<doc>{_XOP.format('elsewhere')}</doc>", None),
    ],
)
def test_an_element_carries_a_document(inner: str, expected: bytes | None) -> None:
    """Base64, XML, or a part of MTOM; nothing where there is none; what is neither is an error and no document."""
    envelope = f'<e:Envelope xmlns:e="{SOAP_11}"><e:Body><f>{inner}</f></e:Body></e:Envelope>'.encode()
    parts = (
        b"--b\r\nContent-Type: application/xop+xml\r\nContent-ID: <root>\r\n\r\n"
        + envelope
        + b"\r\n--b\r\nContent-ID: <file@x>\r\nContent-Transfer-Encoding: binary\r\n\r\nPK\x00\r\n--noise\r\n--b--\r\n"
    )
    headers = {"content-type": 'multipart/related; boundary="b"; start="<root>"; type="application/xop+xml"'}
    said = read_answer(HttpAnswer(200, headers, parts), Faults())

    assert said is not None
    if expected is None:
        with pytest.raises((ValueError, KeyError)):
            said.content("doc")
    else:
        assert expected == said.content("doc").replace(f' xmlns:e="{SOAP_11}"'.encode(), b"")
