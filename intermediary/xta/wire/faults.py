"""Faults on the wire: the exceptions of XTA with their numbers, and SOAP's own (digest §7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from intermediary.unseal.xta.envelope import Envelope
from intermediary.unseal.xta.metadata import read_code
from intermediary.unseal.xta.names import SOAP, XTA
from intermediary.unseal.xta.reading import Children, local, text, token
from intermediary.unseal.xta.values import CodeValue
from intermediary.xml.markup import element
from intermediary.xml.markup import text as escaped
from intermediary.xml.parser import Element
from intermediary.xta.wire.markup import leaf
from intermediary.xta.wire.metadata import write_code

FAULT = SOAP + "Fault"
LIST_URI = "urn:de:xta:webservice:codeliste:fehlernummer"
LIST_VERSION = "1.0"


class Kind(StrEnum):
    """The exceptions, by the local name of their element."""

    PERMISSION_DENIED = "PermissionDeniedException"
    PARAMETER_IS_NOT_VALID = "ParameterIsNotValidException"
    TECHNICAL_PROBLEM = "XTAWSTechnicalProblemException"
    MESSAGE_SCHEMA_VIOLATION = "MessageSchemaViolationException"
    MESSAGE_VIRUS_DETECTION = "MessageVirusDetectionException"
    INVALID_MESSAGE_ID = "InvalidMessageIDException"
    SYNC_ASYNC = "SyncAsyncException"
    CANCEL_DENIED = "CancelDeniedException"


ERRORS: dict[str, tuple[Kind, str]] = {
    "9000": (Kind.TECHNICAL_PROBLEM, "Unspezifizierter Fehler"),
    "9010": (Kind.PERMISSION_DENIED, "Authentisierung/Zertifikat ist abgelaufen."),
    "9011": (Kind.PERMISSION_DENIED, "Account ist gesperrt."),
    "9012": (Kind.PERMISSION_DENIED, "Account nicht vorhanden."),
    "9013": (Kind.PERMISSION_DENIED, "Dienst ist nicht gebucht."),
    "9014": (Kind.PERMISSION_DENIED, "Authentisierung/Zertifikat passt nicht zur Absenderkennung."),
    "9020": (Kind.PARAMETER_IS_NOT_VALID, "Keine Parameter vorhanden"),
    "9021": (Kind.PARAMETER_IS_NOT_VALID, "Keine gültige URI"),
    "9022": (Kind.PARAMETER_IS_NOT_VALID, "Ungültige Parameterkombination"),
    "9023": (Kind.PARAMETER_IS_NOT_VALID, "Die Nachricht überschreitet die Größenbeschränkung."),
    "9024": (Kind.PARAMETER_IS_NOT_VALID, "MessageID ist bereits vergeben."),
    "9030": (Kind.TECHNICAL_PROBLEM, "Interner Fehler beim XTA-Server bzw. XTA-Dienstleister"),
    "9031": (Kind.TECHNICAL_PROBLEM, "Fehler beim externen Verzeichnisdienst"),
    "9032": (Kind.TECHNICAL_PROBLEM, "Fehler bei der Zustellung"),
    "9050": (Kind.MESSAGE_SCHEMA_VIOLATION, "Fachnachricht ist nicht schemakonform"),
    "9051": (Kind.MESSAGE_SCHEMA_VIOLATION, "Fachnachricht trägt ein falsches Encoding."),
    "9052": (Kind.MESSAGE_SCHEMA_VIOLATION, "Nachricht verletzt das entsprechende Service Profil."),
    "9060": (Kind.MESSAGE_VIRUS_DETECTION, "Es wurde schadhafter Code ermittelt."),
    "9070": (Kind.INVALID_MESSAGE_ID, "MessageID für den Account nicht bekannt."),
    "9080": (Kind.SYNC_ASYNC, "Der Dienst wird nur asynchron angeboten."),
    "9081": (Kind.SYNC_ASYNC, "Der Dienst wird nur synchron angeboten."),
    "9100": (Kind.CANCEL_DENIED, "Der durch den Schalter NotBefore gesetzte Termin ist verstrichen."),
    "9101": (Kind.CANCEL_DENIED, "Der Schalter NotBefore wurde nicht gesetzt."),
}
"""Every number of the code list: which exception carries it, and what it is called. 9000 goes with any."""


@dataclass(frozen=True, slots=True)
class XtaError:
    """An exception of XTA: `number` as in `ERRORS`; `name` is empty for what the list calls it."""

    kind: Kind
    number: str
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SoapFault:
    """A fault as received: SOAP's code (`Sender`, `Receiver`, …), its text (data), and the exception if it has one."""

    code: str
    reason: str = field(repr=False)
    error: XtaError | None = None


def error(number: str, kind: Kind | None = None) -> XtaError:
    """The exception for this number; `kind` only for 9000."""
    return XtaError(kind or ERRORS[number][0], number)


def write_error(error: XtaError) -> str:
    """The body of an answer that says so."""
    name = error.name or ERRORS[error.number][1]
    code = write_code("xta:errorCode", CodeValue(error.number, LIST_URI, LIST_VERSION, name))
    fault = "Receiver" if error.kind is Kind.TECHNICAL_PROBLEM else "Sender"
    return _fault(fault, name, element("s:Detail", element(f"xta:{error.kind}", code)))


def write_soap_fault(code: str, reason: str) -> str:
    """The body of an answer with a fault of SOAP: `Sender`, `Receiver`, `MustUnderstand` or `VersionMismatch`."""
    return _fault(code, reason, "")


def read_fault(envelope: Envelope) -> SoapFault | None:
    """The fault in the body, if it holds one. Raises `Rejected("xta.structure")` for a fault that is none."""
    if envelope.body is None or envelope.kind != FAULT:
        return None
    children = Children(envelope.body)
    value = Children(children.one(SOAP + "Code")).one(SOAP + "Value")
    reasons = children.one(SOAP + "Reason")
    children.maybe(SOAP + "Node")
    children.maybe(SOAP + "Role")
    detail = children.maybe(SOAP + "Detail")
    children.end()
    words = next((text(one) for one in reasons), "")
    return SoapFault(token(value).rpartition(":")[2], words, _error(detail))


def _error(detail: Element | None) -> XtaError | None:
    """The first exception of XTA in the detail; what else stands there says nothing here."""
    for entry in () if detail is None else detail:
        name = local(str(entry.tag))
        if entry.tag == XTA + name and name in set(Kind):
            code = read_code(Children(entry).one(XTA + "errorCode"), listed=False)
            return XtaError(Kind(name), code.code, code.name)
    return None


def _fault(code: str, reason: str, detail: str) -> str:
    said = element("s:Text", escaped(reason), ' xml:lang="de"')
    return element(
        "s:Fault",
        element("s:Code", leaf("s:Value", f"s:{code}")) + element("s:Reason", said) + detail,
    )
