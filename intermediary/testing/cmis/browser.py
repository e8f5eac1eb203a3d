"""The browser binding as JSON: what is asked for by `cmisselector`, what is done by `cmisaction` (CMIS 1.1, chapter 5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from intermediary.testing.cmis.dms import ROOT, Dms
from intermediary.testing.cmis.errors import CmisError
from intermediary.testing.cmis.form import Form
from intermediary.testing.cmis.node import Node
from intermediary.testing.cmis.statement import Statement
from intermediary.testing.cmis.types import TYPES, ObjectType, Property

REPOSITORY_ID = "efa"
_ACTIONS = (
    "canDeleteObject",
    "canUpdateProperties",
    "canGetProperties",
    "canGetObjectParents",
    "canGetChildren",
    "canCreateDocument",
    "canCreateFolder",
    "canGetContentStream",
    "canSetContentStream",
    "canCheckOut",
    "canGetAllVersions",
    "canMoveObject",
)


def services(dms: Dms, base: str) -> dict[str, Any]:
    """The answer of the service address: every dms by id."""
    info: dict[str, Any] = {
        "repositoryId": REPOSITORY_ID,
        "repositoryName": "Simulierte E-Akte",
        "repositoryDescription": "CMIS 1.1 fuer Tests",
        "vendorName": "intermediary",
        "productName": "Simulierte E-Akte",
        "productVersion": "1",
        "rootFolderId": ROOT,
        "repositoryUrl": f"{base}/browser/{REPOSITORY_ID}",
        "rootFolderUrl": f"{base}/browser/{REPOSITORY_ID}/root",
        "latestChangeLogToken": None,
        "cmisVersionSupported": "1.1",
        "changesIncomplete": True,
        "changesOnType": [],
        "principalIdAnonymous": "anonymous",
        "principalIdAnyone": "anyone",
        "capabilities": capabilities(dms),
        "aclCapabilities": {"supportedPermissions": "basic", "propagation": "objectonly", "permissions": []},
    }
    return {REPOSITORY_ID: info}


def capabilities(dms: Dms) -> dict[str, Any]:
    return {
        "capabilityContentStreamUpdatability": dms.traits.updatability,
        "capabilityChanges": "none",
        "capabilityRenditions": "none",
        "capabilityGetDescendants": False,
        "capabilityGetFolderTree": False,
        "capabilityMultifiling": False,
        "capabilityUnfiling": False,
        "capabilityVersionSpecificFiling": False,
        "capabilityPWCSearchable": False,
        "capabilityPWCUpdatable": True,
        "capabilityAllVersionsSearchable": False,
        "capabilityOrderBy": "none",
        "capabilityQuery": "metadataonly",
        "capabilityJoin": "none",
        "capabilityACL": "none",
    }


def ask_dms(dms: Dms, selector: str, asked: Mapping[str, str], base: str) -> Any:
    """A question at the DMS's own address."""
    match selector:
        case "" | "repositoryInfo":
            return services(dms, base)
        case "typeDefinition":
            kind = TYPES.get(asked.get("typeId", ""))
            if kind is None:
                raise CmisError("objectNotFound")
            return type_json(kind)
        case "typeChildren":
            parent = asked.get("typeId", "")
            found = [type_json(one) for one in TYPES.values() if one.parent == parent]
            return {"types": found, "hasMoreItems": False, "numItems": len(found)}
        case "query":
            return query(dms, asked.get("q", ""), asked)
    raise CmisError("notSupported")


def query(dms: Dms, text: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """The hits of a query, by query names."""
    statement = Statement.parse(text)
    hits = dms.find(statement)
    begin = int(asked.get("skipCount", "0"))
    end = begin + int(asked.get("maxItems", "1000"))
    results = []
    for node in hits[begin:end]:
        chosen = statement.selected(node.type, dms.properties(node))
        by_name = {one.query_name or one.id: one for one in node.type.properties}
        results.append(_object({name: (by_name[name], value) for name, value in chosen.items()}, asked))
    return {"results": results, "hasMoreItems": end < len(hits), "numItems": len(hits)}


def ask_object(dms: Dms, node: Node, selector: str, asked: Mapping[str, str]) -> Any:
    """A question at an object's address."""
    match selector:
        case "" | "object" | "properties":
            return object_json(dms, node, asked)
        case "children":
            objects = [{"object": object_json(dms, one, asked)} for one in dms.children(node.id)]
            return {"objects": objects, "hasMoreItems": False, "numItems": len(objects)}
        case "parents" | "parent":
            parent = object_json(dms, dms.node(node.parent or ROOT), asked)
            return [{"object": parent, "relativePathSegment": node.name}] if selector == "parents" else parent
        case "versions":
            return [object_json(dms, one, asked) for one in dms.versions(node.id)]
    raise CmisError("notSupported")


def act(dms: Dms, node: Node, form: Form, user: str) -> Node | None:
    """An action on an object; what it made or changed, None where it is gone."""
    fields, values = form.fields, form.properties()
    match fields.get("cmisaction", ""):
        case "createFolder":
            return dms.create_folder(node.id, values, user)
        case "createDocument":
            return dms.create_document(node.id, values, form.content, user)
        case "setContent" | "appendContent" as action if form.content is not None:
            return _write(dms, node, action, form, user)
        case "checkOut" | "checkout":
            return dms.check_out(node.id, user)
        case "checkIn" | "checkin":
            return dms.check_in(node.id, user, fields.get("checkinComment", ""))
        case "cancelCheckOut" | "delete" as action:
            (dms.delete if action == "delete" else dms.cancel_check_out)(node.id)
            return None
        case "update":
            return dms.update(node.id, values, user, token=fields.get("changeToken", ""))
        case "move":
            return dms.move(node.id, fields.get("targetFolderId", ""), user)
    raise CmisError("notSupported")


def _write(dms: Dms, node: Node, action: str, form: Form, user: str) -> Node:
    token = form.fields.get("changeToken", "")
    if form.content is None:
        raise CmisError("invalidArgument")
    if action == "appendContent":
        return dms.append_content(node.id, form.content, user, token=token)
    overwrite = form.flag("overwriteFlag", default=True)
    return dms.set_content(node.id, form.content, user, overwrite=overwrite, token=token)


def object_json(dms: Dms, node: Node, asked: Mapping[str, str]) -> dict[str, Any]:
    values = dms.properties(node)
    data = _object({one.id: (one, values[one.id]) for one in node.type.properties}, asked)
    if asked.get("includeAllowableActions", "").lower() == "true":
        data["allowableActions"] = dict.fromkeys(_ACTIONS, True)
    return data


def _object(values: Mapping[str, tuple[Property, Any]], asked: Mapping[str, str]) -> dict[str, Any]:
    if asked.get("succinct") == "true":
        return {"succinctProperties": {name: _plain(value) for name, (_, value) in values.items()}}
    return {
        "properties": {
            name: {
                "id": one.id,
                "localName": one.id,
                "displayName": one.id,
                "queryName": one.query_name or one.id,
                "type": one.kind,
                "cardinality": "multi" if one.is_multi else "single",
                "value": _plain(value),
            }
            for name, (one, value) in values.items()
        }
    }


def _plain(value: Any) -> Any:
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else value


def type_json(kind: ObjectType) -> dict[str, Any]:
    is_folder = kind.base == "cmis:folder"
    return {
        "id": kind.id,
        "localName": kind.id,
        "localNamespace": "urn:test",
        "displayName": kind.id,
        "queryName": kind.id,
        "description": kind.id,
        "baseId": kind.base,
        **({"parentId": kind.parent} if kind.parent else {}),
        "creatable": True,
        "fileable": True,
        "queryable": True,
        "fulltextIndexed": False,
        "includedInSupertypeQuery": True,
        "controllablePolicy": False,
        "controllableACL": False,
        **({} if is_folder else {"versionable": True, "contentStreamAllowed": "allowed"}),
        "propertyDefinitions": {one.id: _property_json(one) for one in kind.properties},
    }


def _property_json(one: Property) -> dict[str, Any]:
    return {
        "id": one.id,
        "localName": one.id,
        "displayName": one.id,
        "queryName": one.query_name or one.id,
        "description": one.id,
        "propertyType": one.kind,
        "cardinality": "multi" if one.is_multi else "single",
        "updatability": one.updatability,
        "inherited": False,
        "required": one.is_required,
        "queryable": one.is_queryable,
        "orderable": False,
        "openChoice": True,
    }
