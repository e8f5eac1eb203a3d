"""Entries, feeds and the service document of the AtomPub binding (CMIS 1.1, 3.5 to 3.10)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from lxml import etree

from intermediary.testing.cmis.browser import REPOSITORY_ID, capabilities
from intermediary.testing.cmis.dms import ROOT, Dms
from intermediary.testing.cmis.node import Node
from intermediary.testing.cmis.types import ObjectType, Property

ATOM = "http://www.w3.org/2005/Atom"
APP = "http://www.w3.org/2007/app"
CMIS = "http://docs.oasis-open.org/ns/cmis/core/200908/"
CMISRA = "http://docs.oasis-open.org/ns/cmis/restatom/200908/"
NAMESPACES = {"atom": ATOM, "app": APP, "cmis": CMIS, "cmisra": CMISRA}
_ENTRY = "application/atom+xml;type=entry"
_FEED = "application/atom+xml;type=feed"
_TYPED = {
    "string": "propertyString",
    "id": "propertyId",
    "integer": "propertyInteger",
    "boolean": "propertyBoolean",
    "datetime": "propertyDateTime",
    "uri": "propertyUri",
}
_TEMPLATES = {
    "objectbyid": ("id?id={id}", _ENTRY),
    "objectbypath": ("path?path={path}", _ENTRY),
    "typebyid": ("type?id={id}", _ENTRY),
    "query": ("query?q={q}", _FEED),
}
_COLLECTIONS = {
    "root": (f"children?id={ROOT}", _ENTRY),
    "types": ("types", _ENTRY),
    "query": ("query", "application/cmisquery+xml"),
}


def service(dms: Dms, base: str) -> bytes:
    """The service document with the one workspace."""
    root = etree.Element(f"{{{APP}}}service", nsmap=NAMESPACES)
    workspace = etree.SubElement(root, f"{{{APP}}}workspace")
    _text(workspace, ATOM, "title", "Simulierte E-Akte")
    for kind, (path, accept) in _COLLECTIONS.items():
        collection = etree.SubElement(workspace, f"{{{APP}}}collection", href=f"{base}/{path}")
        _text(collection, ATOM, "title", kind)
        _text(collection, APP, "accept", accept)
        _text(collection, CMISRA, "collectionType", kind)
    info = etree.SubElement(workspace, f"{{{CMISRA}}}repositoryInfo")
    about = {
        "repositoryId": REPOSITORY_ID,
        "repositoryName": "Simulierte E-Akte",
        "repositoryDescription": "CMIS 1.1 fuer Tests",
        "vendorName": "intermediary",
        "productName": "Simulierte E-Akte",
        "productVersion": "1",
        "rootFolderId": ROOT,
    }
    for name, value in about.items():
        _text(info, CMIS, name, value)
    able = etree.SubElement(info, f"{{{CMIS}}}capabilities")
    for name, flag in capabilities(dms).items():
        _text(able, CMIS, name, _word(flag))
    _text(info, CMIS, "cmisVersionSupported", "1.1")
    for name, (path, media) in _TEMPLATES.items():
        template = etree.SubElement(workspace, f"{{{CMISRA}}}uritemplate")
        _text(template, CMISRA, "template", f"{base}/{path}")
        _text(template, CMISRA, "type", name)
        _text(template, CMISRA, "mediatype", media)
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return data


def entry(dms: Dms, node: Node, base: str) -> Any:
    """An object as an entry."""
    values = dms.properties(node)
    root = _entry(node.id, node.name or "root", node.changed_at, node.made_by)
    at = urlencode({"id": node.id})
    _link(root, "service", base, "application/atomsvc+xml")
    _link(root, "self", f"{base}/id?{at}", _ENTRY)
    _link(root, "edit", f"{base}/id?{at}", _ENTRY)
    _link(root, "describedby", f"{base}/type?{urlencode({'id': node.type_id})}", _ENTRY)
    if node.parent:
        up = f"{base}/parents?{at}" if not node.is_folder else f"{base}/id?{urlencode({'id': node.parent})}"
        _link(root, "up", up, _ENTRY if node.is_folder else _FEED)
    if node.is_folder:
        _link(root, "down", f"{base}/children?{at}", _FEED)
    else:
        _link(root, "edit-media", f"{base}/content?{at}", "application/octet-stream")
        _link(root, "version-history", f"{base}/versions?{at}", _FEED)
        media = node.content.media_type if node.content else "application/octet-stream"
        etree.SubElement(root, f"{{{ATOM}}}content", src=f"{base}/content?{at}", type=media)
    carried = etree.SubElement(root, f"{{{CMISRA}}}object")
    properties = etree.SubElement(carried, f"{{{CMIS}}}properties")
    for one in node.type.properties:
        _property(properties, one, values[one.id])
    able = etree.SubElement(carried, f"{{{CMIS}}}allowableActions")
    for name in ("canGetProperties", "canGetObjectParents", "canUpdateProperties", "canDeleteObject"):
        _text(able, CMIS, name, "true")
    own = (
        ("canGetChildren", "canCreateDocument", "canCreateFolder")
        if node.is_folder
        else ("canGetContentStream", "canSetContentStream", "canCheckOut", "canGetAllVersions")
    )
    for name in own:
        _text(able, CMIS, name, "true")
    return root


def type_entry(kind: ObjectType, base: str) -> Any:
    """A type as an entry."""
    root = _entry(kind.id, kind.id, datetime(2026, 1, 1, tzinfo=UTC), "system")
    _link(root, "self", f"{base}/type?{urlencode({'id': kind.id})}", _ENTRY)
    _link(root, "down", f"{base}/types?{urlencode({'typeId': kind.id})}", _FEED)
    if kind.parent:
        _link(root, "up", f"{base}/type?{urlencode({'id': kind.parent})}", _ENTRY)
    is_folder = kind.base == "cmis:folder"
    described = etree.SubElement(root, f"{{{CMISRA}}}type")
    name = "cmisTypeFolderDefinitionType" if is_folder else "cmisTypeDocumentDefinitionType"
    described.set("{http://www.w3.org/2001/XMLSchema-instance}type", f"cmis:{name}")
    facts = {"id": kind.id, "localName": kind.id, "displayName": kind.id, "queryName": kind.id, "description": kind.id}
    facts |= {"baseId": kind.base, **({"parentId": kind.parent} if kind.parent else {})}
    flags = ("creatable", "fileable", "queryable", "includedInSupertypeQuery")
    facts |= dict.fromkeys(flags, "true") | dict.fromkeys(("controllablePolicy", "controllableACL"), "false")
    for fact, value in facts.items():
        _text(described, CMIS, fact, value)
    for one in kind.properties:
        definition = etree.SubElement(described, f"{{{CMIS}}}{_TYPED[one.kind]}Definition")
        told = {"id": one.id, "localName": one.id, "displayName": one.id, "queryName": one.query_name or one.id}
        told |= {"description": one.id, "propertyType": one.kind, "cardinality": "multi" if one.is_multi else "single"}
        told |= {
            "updatability": one.updatability,
            "required": _word(one.is_required),
            "queryable": _word(one.is_queryable),
        }
        for fact, value in told.items():
            _text(definition, CMIS, fact, value)
    if not is_folder:
        _text(described, CMIS, "versionable", "true")
        _text(described, CMIS, "contentStreamAllowed", "allowed")
    return root


def feed(title: str, entries: Iterable[Any]) -> Any:
    root = etree.Element(f"{{{ATOM}}}feed", nsmap=NAMESPACES)
    _text(root, ATOM, "id", f"urn:feed:{title}")
    _text(root, ATOM, "title", title)
    _text(root, ATOM, "updated", "2026-01-01T00:00:00Z")
    for one in entries:
        root.append(one)
    return root


def _entry(identity: str, title: str, at: datetime, author: str) -> Any:
    root = etree.Element(f"{{{ATOM}}}entry", nsmap=NAMESPACES)
    _text(root, ATOM, "id", f"urn:object:{identity}")
    _text(root, ATOM, "title", title)
    _text(root, ATOM, "updated", _moment(at))
    _text(root, ATOM, "published", _moment(at))
    _text(etree.SubElement(root, f"{{{ATOM}}}author"), ATOM, "name", author)
    return root


def _property(parent: Any, one: Property, value: Any) -> None:
    element = etree.SubElement(parent, f"{{{CMIS}}}{_TYPED[one.kind]}", propertyDefinitionId=one.id)
    element.set("queryName", one.query_name or one.id)
    element.set("displayName", one.id)
    element.set("localName", one.id)
    for single in value if isinstance(value, list) else [value]:
        if single is not None:
            _text(element, CMIS, "value", _word(single))


def _word(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return _moment(value)
        case _:
            return str(value)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _link(parent: Any, rel: str, href: str, media: str) -> None:
    etree.SubElement(parent, f"{{{ATOM}}}link", rel=rel, href=href, type=media)


def _text(parent: Any, namespace: str, name: str, value: str) -> None:
    etree.SubElement(parent, f"{{{namespace}}}{name}").text = value
