"""The SOAP fault: how a supplier refuses a message as a whole, in the open and unsigned (§15)."""

from __future__ import annotations

from intermediary.osci.write.feedback import TEXTS
from intermediary.osci.write.markup import XMLNS_OSCI, XMLNS_SOAP, element
from intermediary.osci.write.markup import text as escaped
from intermediary.osci.write.mime import fault_entity


def write_fault(code: str, text: str = "", *, server: bool) -> bytes:
    """The fault in its MIME part; `server` says whose fault it is, an empty text is taken from digest §15."""
    fault = (
        element("faultcode", "soap:Server" if server else "soap:Client")
        + element("faultstring", escaped(text or TEXTS[code]))
        + element("detail", element("osci:Code", escaped(code)))
    )
    body = element("soap:Body", element("soap:Fault", fault))
    return fault_entity(element("soap:Envelope", body, XMLNS_SOAP + XMLNS_OSCI))
