"""One object of the DMS and what its properties say."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from intermediary.testing.cmis.stored import Stored
from intermediary.testing.cmis.types import TYPES, ObjectType


@dataclass(slots=True)
class Node:
    """A folder or one version of a document."""

    id: str
    type_id: str
    name: str
    parent: str
    made_at: datetime
    made_by: str
    changed_at: datetime
    changed_by: str
    values: dict[str, Any] = field(default_factory=dict)
    content: Stored | None = None
    series: str = ""
    version: int = 1
    is_latest: bool = True
    is_working_copy: bool = False
    checked_out_by: str = ""
    working_copy: str = ""
    token: int = 1
    comment: str = ""

    @property
    def type(self) -> ObjectType:
        return TYPES[self.type_id]

    @property
    def is_folder(self) -> bool:
        return self.type.base == "cmis:folder"

    def properties(self, path: str, *, with_hash: bool) -> dict[str, Any]:
        """All properties by id; `path` of a folder."""
        own = {
            "cmis:name": self.name,
            "cmis:objectId": self.id,
            "cmis:baseTypeId": self.type.base,
            "cmis:objectTypeId": self.type_id,
            "cmis:createdBy": self.made_by,
            "cmis:creationDate": self.made_at,
            "cmis:lastModifiedBy": self.changed_by,
            "cmis:lastModificationDate": self.changed_at,
            "cmis:changeToken": str(self.token),
        }
        own |= (
            {"cmis:parentId": self.parent or None, "cmis:path": path} if self.is_folder else self._document(with_hash)
        )
        return {one.id: own.get(one.id, self.values.get(one.id)) for one in self.type.properties}

    def _document(self, with_hash: bool) -> dict[str, Any]:
        content = self.content
        return {
            "cmis:isImmutable": False,
            "cmis:isLatestVersion": self.is_latest,
            "cmis:isMajorVersion": not self.is_working_copy,
            "cmis:isLatestMajorVersion": self.is_latest,
            "cmis:isPrivateWorkingCopy": self.is_working_copy,
            "cmis:versionLabel": "pwc" if self.is_working_copy else f"{self.version}.0",
            "cmis:versionSeriesId": self.series,
            "cmis:isVersionSeriesCheckedOut": bool(self.working_copy) or self.is_working_copy,
            "cmis:versionSeriesCheckedOutBy": self.checked_out_by or None,
            "cmis:versionSeriesCheckedOutId": self.working_copy or (self.id if self.is_working_copy else None),
            "cmis:checkinComment": self.comment or None,
            "cmis:contentStreamLength": content.length if content else None,
            "cmis:contentStreamMimeType": content.media_type if content else None,
            "cmis:contentStreamFileName": content.file_name if content else None,
            "cmis:contentStreamId": f"stream-{self.id}" if content else None,
            "cmis:contentStreamHash": [f"{{sha-256}}{content.sha256}"] if content and with_hash else None,
        }
