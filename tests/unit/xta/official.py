"""The official WSDL and schemas of XTA 2.1.1, from the shared material: one schema over all of them, and zeep's view."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from intermediary.unseal.xta.names import DS_URI, META_URI, OSCI_URI, SOAP_URI, WSA_URI, XENC_URI, XTA_URI

_FILES = (
    (XENC_URI, "xenc-schema.xsd"),
    (DS_URI, "xmldsig-core-schema.xsd"),
    (META_URI, "OSCI_MessageMetaData_V2.02.xsd"),
    (OSCI_URI, "OSCI2_02.xsd"),
    (WSA_URI, "ws-addr.xsd"),
    (SOAP_URI, ".xsd"),
)


def official_folder(shared: Path) -> Path:
    """Where the WSDL lies."""
    return shared / "schemas" / "xta" / "2.1.1" / "wsdl"


def official_schema(shared: Path) -> etree.XMLSchema:
    """Every global element that may stand in a request or response, and the SOAP envelope around it."""
    folder = official_folder(shared)
    imports = "".join(
        f'<xs:import namespace="{uri}" schemaLocation="{(folder / name).as_uri()}"/>' for uri, name in _FILES
    )
    included = "".join(
        f'<xs:include schemaLocation="{(folder / name).as_uri()}"/>'
        for name in ("XTA-Webservice-Globale-Elemente.xsd", "XTA-Webservice-Exceptions.xsd")
    )
    opening = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{XTA_URI}">'
    driver = f"{opening}{imports}{included}</xs:schema>"
    return etree.XMLSchema(etree.fromstring(driver, base_url=folder.as_uri() + "/driver.xsd"))
