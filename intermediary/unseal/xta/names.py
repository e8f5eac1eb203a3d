"""Names of XTA 2 (2.1.1) and of what it is made of (digest §2)."""

from __future__ import annotations

XTA_URI = "http://xoev.de/transport/xta/211"
OSCI_URI = "http://www.osci.eu/ws/2008/05/transport"
META_URI = "http://www.osci.eu/ws/2014/10/transport"
WSA_URI = "http://www.w3.org/2005/08/addressing"
SOAP_URI = "http://www.w3.org/2003/05/soap-envelope"
SOAP_1_1_URI = "http://schemas.xmlsoap.org/soap/envelope/"
XOP_URI = "http://www.w3.org/2004/08/xop/include"
XENC_URI = "http://www.w3.org/2001/04/xmlenc#"
DS_URI = "http://www.w3.org/2000/09/xmldsig#"
XSI_URI = "http://www.w3.org/2001/XMLSchema-instance"

XTA = "{" + XTA_URI + "}"
OSCI = "{" + OSCI_URI + "}"
META = "{" + META_URI + "}"
WSA = "{" + WSA_URI + "}"
SOAP = "{" + SOAP_URI + "}"
XOP = "{" + XOP_URI + "}"
XENC = "{" + XENC_URI + "}"
DS = "{" + DS_URI + "}"
XSI = "{" + XSI_URI + "}"
XML = "{http://www.w3.org/XML/1998/namespace}"

CONTAINER = XTA + "GenericContentContainer"
METADATA = META + "MessageMetaData"
AUTHOR = META + "Author"
BOX_RESPONSE = OSCI + "MsgBoxResponse"
TOKEN_CONTAINER = OSCI + "X509TokenContainer"
MESSAGE_ID = WSA + "MessageID"

ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous"

MAX_CONTENT_BYTES = 40 * 1024 * 1024
"""The rule of 40 MB for one container, decoded (schema text; error 9023)."""

MAX_ENTITY_BYTES = 64 * 1024 * 1024
"""The longest request or answer: 40 MB as Base64 text, and what stands around it."""
