"""The object types of the DMS and what each property is (CMIS 1.1, 2.1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["string", "id", "integer", "boolean", "datetime", "uri"]
Updatability = Literal["readonly", "readwrite", "oncreate"]


@dataclass(frozen=True, slots=True)
class Property:
    """One property definition. `query_name` empty: its id."""

    id: str
    kind: Kind = "string"
    updatability: Updatability = "readonly"
    is_queryable: bool = True
    is_multi: bool = False
    is_required: bool = False
    query_name: str = ""


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One type with all its properties, inherited ones too."""

    id: str
    base: str
    parent: str
    properties: tuple[Property, ...]

    def property(self, identity: str) -> Property | None:
        return next((one for one in self.properties if one.id == identity), None)

    def by_query_name(self, name: str) -> Property | None:
        return next((one for one in self.properties if name in (one.query_name, one.id)), None)


_COMMON = (
    Property("cmis:name", updatability="readwrite", is_required=True),
    Property("cmis:description", updatability="readwrite"),
    Property("cmis:objectId", "id"),
    Property("cmis:baseTypeId", "id"),
    Property("cmis:objectTypeId", "id", "oncreate", is_required=True),
    Property("cmis:createdBy"),
    Property("cmis:creationDate", "datetime"),
    Property("cmis:lastModifiedBy"),
    Property("cmis:lastModificationDate", "datetime"),
    Property("cmis:changeToken", is_queryable=False),
)
_FOLDER = (
    *_COMMON,
    Property("cmis:parentId", "id"),
    Property("cmis:path"),
    Property("cmis:allowedChildObjectTypeIds", "id", is_multi=True, is_queryable=False),
)
_DOCUMENT = (
    *_COMMON,
    Property("cmis:isImmutable", "boolean"),
    Property("cmis:isLatestVersion", "boolean"),
    Property("cmis:isMajorVersion", "boolean"),
    Property("cmis:isLatestMajorVersion", "boolean"),
    Property("cmis:isPrivateWorkingCopy", "boolean"),
    Property("cmis:versionLabel"),
    Property("cmis:versionSeriesId", "id"),
    Property("cmis:isVersionSeriesCheckedOut", "boolean"),
    Property("cmis:versionSeriesCheckedOutBy"),
    Property("cmis:versionSeriesCheckedOutId", "id"),
    Property("cmis:checkinComment"),
    Property("cmis:contentStreamLength", "integer"),
    Property("cmis:contentStreamMimeType"),
    Property("cmis:contentStreamFileName"),
    Property("cmis:contentStreamId", "id"),
    Property("cmis:contentStreamHash", is_multi=True, is_queryable=False),
)
_OWN = (
    Property("efa:schluessel", updatability="oncreate", query_name="efa:schluesselwort"),
    Property("efa:aktenzeichen", updatability="readwrite"),
)

TYPES = {
    one.id: one
    for one in (
        ObjectType("cmis:document", "cmis:document", "", _DOCUMENT),
        ObjectType("cmis:folder", "cmis:folder", "", _FOLDER),
        ObjectType(
            "efa:dokument",
            "cmis:document",
            "cmis:document",
            (
                *_DOCUMENT,
                *_OWN,
                Property("efa:sha256", updatability="oncreate"),
                Property("efa:notiz", is_queryable=False),
            ),
        ),
        ObjectType("efa:vorgang", "cmis:folder", "cmis:folder", (*_FOLDER, *_OWN)),
    )
}
