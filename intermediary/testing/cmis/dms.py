"""The DMS: folders, documents, versions; every operation is whole or refused, under one lock."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from intermediary.testing.cmis.errors import CmisError
from intermediary.testing.cmis.node import Node
from intermediary.testing.cmis.statement import Statement
from intermediary.testing.cmis.stored import Stored
from intermediary.testing.cmis.types import TYPES

ROOT = "root"


@dataclass(frozen=True, slots=True)
class Traits:
    """How this dms differs from others.

    `unique_names`: one name once per folder. `hashes`: it tells the hash of contents. `tokens`: it demands change tokens.
    `updatability` of contents as CMIS names it. `quota_bytes`: contents beyond are refused (storage).
    """

    unique_names: bool = True
    hashes: bool = True
    tokens: bool = True
    updatability: str = "anytime"
    quota_bytes: int | None = None


class Dms:
    """All objects, by id. `folder` keeps the contents; `clock` gives the server's time."""

    def __init__(self, folder: Path, *, clock: Callable[[], datetime], traits: Traits | None = None) -> None:
        self.traits = traits or Traits()
        self.folder = folder
        self.lock = threading.RLock()
        self.denied: set[str] = set()
        self._clock = clock
        self._ids = itertools.count(1)
        self._nodes: dict[str, Node] = {}
        self._hidden: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)
        now = clock()
        self._nodes[ROOT] = Node(ROOT, "cmis:folder", "", "", now, "system", now, "system")

    def node(self, identity: str) -> Node:
        with self.lock:
            node = self._nodes.get(identity)
            if node is None:
                raise CmisError("objectNotFound")
            return node

    def at_path(self, path: str) -> Node:
        """The object at a path; of a document its latest version, and no working copy."""
        with self.lock:
            node = self._nodes[ROOT]
            for name in (segment for segment in path.split("/") if segment):
                node = next((one for one in self.children(node.id) if one.name == name), None) or self._none()
            return node

    def path(self, node: Node) -> str:
        with self.lock:
            names: list[str] = []
            while node.parent:
                names.append(node.name)
                node = self._nodes[node.parent]
            return "/" + "/".join(reversed(names))

    def properties(self, node: Node) -> dict[str, Any]:
        return node.properties(self.path(node) if node.is_folder else "", with_hash=self.traits.hashes)

    def children(self, identity: str) -> list[Node]:
        with self.lock:
            return [one for one in self._nodes.values() if one.parent == identity and one.is_latest]

    def versions(self, identity: str) -> list[Node]:
        with self.lock:
            series = self.node(identity).series
            return sorted((one for one in self._nodes.values() if one.series == series), key=lambda one: -one.version)

    def find(self, statement: Statement) -> list[Node]:
        """What the index knows."""
        with self.lock:
            seen = [one for one in self._nodes.values() if one.id not in self._hidden]
            latest = [one for one in seen if one.is_latest]
            return [one for one in latest if statement.holds(one.type, self.properties(one))]

    def documents(self) -> list[Node]:
        """Every document there is, for checkers: latest versions."""
        with self.lock:
            return [one for one in self._nodes.values() if not one.is_folder and one.is_latest]

    def folders(self) -> list[Node]:
        with self.lock:
            return [one for one in self._nodes.values() if one.is_folder and one.id != ROOT]

    def forget_index(self) -> None:
        """Queries find nothing of what is there, as with an index that is late; later objects are found."""
        with self.lock:
            self._hidden = set(self._nodes)

    def create_folder(self, parent: str, values: Mapping[str, Any], user: str) -> Node:
        with self.lock:
            return self._create(parent, values, user, "cmis:folder")

    def create_document(self, parent: str, values: Mapping[str, Any], content: Stored | None, user: str) -> Node:
        with self.lock:
            self._demand_room(content)
            node = self._create(parent, values, user, "cmis:document")
            node.series, node.content = f"series-{node.id}", content
            return node

    def set_content(self, identity: str, content: Stored, user: str, *, overwrite: bool, token: str) -> Node:
        with self.lock:
            node = self._changeable(identity, token)
            if node.content is not None and not overwrite:
                raise CmisError("contentAlreadyExists")
            self._demand_room(content)
            node.content = content
            return self._changed(node, user)

    def append_content(self, identity: str, content: Stored, user: str, *, token: str) -> Node:
        with self.lock:
            node = self._changeable(identity, token)
            self._demand_room(content)
            node.content = content if node.content is None else node.content.joined(content)
            return self._changed(node, user)

    def check_out(self, identity: str, user: str) -> Node:
        with self.lock:
            node = self.node(identity)
            if node.working_copy or node.is_working_copy or node.is_folder:
                raise CmisError("versioning")
            copy = replace(node, id=self._new_id(), is_working_copy=True, is_latest=False, checked_out_by=user, token=1)
            copy.values = dict(node.values)
            node.working_copy, node.checked_out_by = copy.id, user
            self._nodes[copy.id] = copy
            return copy

    def check_in(self, identity: str, user: str, comment: str) -> Node:
        with self.lock:
            copy = self.node(identity)
            if not copy.is_working_copy or copy.checked_out_by != user:
                raise CmisError("versioning")
            before = next(one for one in self._nodes.values() if one.working_copy == copy.id)
            before.working_copy, before.checked_out_by, before.is_latest = "", "", False
            copy.is_working_copy, copy.checked_out_by, copy.is_latest = False, "", True
            copy.version, copy.comment = before.version + 1, comment
            return self._changed(copy, user)

    def cancel_check_out(self, identity: str) -> None:
        with self.lock:
            copy = self.node(identity)
            if not copy.is_working_copy:
                raise CmisError("versioning")
            before = next(one for one in self._nodes.values() if one.working_copy == copy.id)
            before.working_copy, before.checked_out_by = "", ""
            del self._nodes[copy.id]

    def update(self, identity: str, values: Mapping[str, Any], user: str, *, token: str = "") -> Node:
        with self.lock:
            node = self._changeable(identity, token, is_content=False)
            name = str(values.get("cmis:name", node.name))
            if name != node.name:
                self._demand_name(node.parent, name)
            node.name = name
            node.values |= {key: value for key, value in values.items() if key in _own(node)}
            return self._changed(node, user)

    def move(self, identity: str, target: str, user: str) -> Node:
        with self.lock:
            node = self.node(identity)
            self._demand_name(self.node(target).id, node.name)
            node.parent = target
            return self._changed(node, user)

    def delete(self, identity: str) -> None:
        with self.lock:
            node = self.node(identity)
            if node.is_folder and self.children(identity):
                raise CmisError("constraint", "the folder is not empty")
            for one in self.versions(identity) if node.series else [node]:
                del self._nodes[one.id]

    def _create(self, parent: str, values: Mapping[str, Any], user: str, base: str) -> Node:
        folder = self.node(parent)
        kind = TYPES.get(str(values.get("cmis:objectTypeId", base)))
        if not folder.is_folder or kind is None or kind.base != base:
            raise CmisError("constraint", "no such type here")
        if parent in self.denied:
            raise CmisError("permissionDenied")
        for name in values:
            one = kind.property(name)
            if one is None or one.updatability == "readonly":
                raise CmisError("constraint", "no such property")
        name = str(values.get("cmis:name", ""))
        if not name or "/" in name:
            raise CmisError("nameConstraintViolation" if name else "constraint")
        self._demand_name(parent, name)
        now = self._clock()
        node = Node(self._new_id(), kind.id, name, parent, now, user, now, user)
        node.values = {key: value for key, value in values.items() if key in _own(node)}
        self._nodes[node.id] = node
        return node

    def _demand_name(self, parent: str, name: str) -> None:
        if self.traits.unique_names and any(one.name == name for one in self.children(parent)):
            raise CmisError("nameConstraintViolation", "there is an object of that name")

    def _changeable(self, identity: str, token: str, *, is_content: bool = True) -> Node:
        node = self.node(identity)
        if node.parent in self.denied:
            raise CmisError("permissionDenied")
        if is_content and node.is_folder:
            raise CmisError("streamNotSupported")
        if is_content and self.traits.updatability == "pwconly" and not node.is_working_copy:
            raise CmisError("versioning")
        if self.traits.tokens and token and token != str(node.token):
            raise CmisError("updateConflict")
        return node

    def _changed(self, node: Node, user: str) -> Node:
        node.token += 1
        node.changed_at, node.changed_by = self._clock(), user
        return node

    def _demand_room(self, content: Stored | None) -> None:
        quota = self.traits.quota_bytes
        held = sum(one.content.length for one in self._nodes.values() if one.content is not None)
        if quota is not None and content is not None and held + content.length > quota:
            raise CmisError("storage")

    def _new_id(self) -> str:
        return f"o-{next(self._ids):06d}"

    def _none(self) -> Node:
        raise CmisError("objectNotFound")


def _own(node: Node) -> Iterator[str]:
    return (one.id for one in node.type.properties if not one.id.startswith("cmis:") or one.id == "cmis:description")
