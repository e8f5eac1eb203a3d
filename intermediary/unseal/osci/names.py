"""The names of OSCI 1.2: namespaces, elements and the kinds of message there are (digest §2, §4, §7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
OSCI = "{http://www.osci.de/2002/04/osci}"
OSCI_2017 = "{http://xoev.de/transport/osci12/7}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

ENCRYPTED_ENVELOPE = "MessageEncrypted"
SOAP_FAULT = "SOAPFault"

INTERMEDIARY = OSCI + "SignatureCertificateIntermediary"
ORIGINATOR = OSCI + "SignatureCertificateOriginator"
ADDRESSEE = OSCI + "SignatureCertificateAddressee"

Body = Literal["package", "empty", "order"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message: its direction, its order element, its body, its control block and who signs its transport.

    `control` has one letter each for Response, Challenge, ConversationId, SequenceNumber: `r` required, `o` optional,
    `-` forbidden. The order element stands in the header unless `body` is `order`. `doors` says who may receive it:
    a passive recipient, a fetching client, or nobody but the parser.
    """

    name: str
    is_response: bool
    order: str
    body: Body
    control: str
    signer: str
    door: Literal["passive", "client", ""]


def _kind(name: str, body: Body, control: str, *, signer: str = "", passive: bool = False) -> Kind:
    response = name.startswith("ResponseTo")
    namespace = OSCI_2017 if "Partial" in name else OSCI
    role = signer or (INTERMEDIARY if response else ORIGINATOR)
    door: Literal["passive", "client", ""] = "passive" if passive else "client" if response else ""
    return Kind(name, response, namespace + name[0].lower() + name[1:], body, control, role, door)


_ALL = (
    _kind("InitDialog", "order", "-r--"),
    _kind("ResponseToInitDialog", "order", "rrr-"),
    _kind("GetMessageId", "order", "oror"),
    _kind("ResponseToGetMessageId", "order", "rorr"),
    _kind("ExitDialog", "order", "rrrr"),
    _kind("ResponseToExitDialog", "order", "r-rr"),
    _kind("StoreDelivery", "package", "oror"),
    _kind("ResponseToStoreDelivery", "empty", "rorr"),
    _kind("FetchDelivery", "empty", "rrrr"),
    _kind("ResponseToFetchDelivery", "package", "rrrr"),
    _kind("FetchProcessCard", "order", "rrrr"),
    _kind("ResponseToFetchProcessCard", "order", "rrrr"),
    _kind("ForwardDelivery", "package", "oror"),
    _kind("ResponseToForwardDelivery", "empty", "roor"),
    _kind("AcceptDelivery", "package", "-r--", signer=INTERMEDIARY, passive=True),
    _kind("ResponseToAcceptDelivery", "empty", "r---", signer=ADDRESSEE),
    _kind("MediateDelivery", "package", "rrrr"),
    _kind("ResponseToMediateDelivery", "package", "rrrr"),
    _kind("ProcessDelivery", "package", "-r--", signer=INTERMEDIARY, passive=True),
    _kind("ResponseToProcessDelivery", "package", "r---", signer=ORIGINATOR),
    _kind("PartialStoreDelivery", "package", "oror"),
    _kind("ResponseToPartialStoreDelivery", "empty", "roor"),
    _kind("PartialFetchDelivery", "empty", "oror"),
    _kind("ResponseToPartialFetchDelivery", "package", "roor"),
)

KINDS = {kind.name: kind for kind in _ALL}
ORDERS = frozenset(kind.order for kind in _ALL)

SCHEMA_LOCATION = (
    "http://schemas.xmlsoap.org/soap/envelope/",
    "soap{}.xsd",
    "http://www.w3.org/2000/09/xmldsig#",
    "oscisig.xsd",
    "http://www.w3.org/2001/04/xmlenc#",
    "oscienc.xsd",
)
