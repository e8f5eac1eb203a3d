"""The settings of one CMIS target: where it files, as what, and under which names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from connectors.cmis.pattern import Pattern
from intermediary.connect.api import EMPTY, HttpAuth, HttpSettings, HttpUrl

PATTERN_HELP = (
    "with {key}, {mandant}, business keys such as {aktenzeichen}; of documents {file_name}, {n}, {sha256} too"
)
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")


class PropertyId(str):
    """The id of a property at the repository, or empty: a name without blanks, quotes and commas."""

    __slots__ = ()

    def __new__(cls, text: str) -> PropertyId:
        if not re.fullmatch(r"[^\s'\"\\,]{0,200}", text):
            raise ValueError("expected the id of a property")
        return super().__new__(cls, text)


def _demand_properties(properties: Mapping[str, str]) -> None:
    for name, value in properties.items():
        PropertyId(name)
        Pattern(value)
        if name in ("cmis:name", "cmis:objectTypeId"):
            raise ValueError(f"`{name}` has a setting of its own")


@dataclass(frozen=True, slots=True)
class Case:
    """The folder that is made for each Zustellung (or found, where a Vorgang has one)."""

    name: Pattern = field(default=Pattern("{key}"), metadata={"help": f"name of the folder, {PATTERN_HELP}"})
    type: str = field(default="cmis:folder", metadata={"help": "its object type"})
    shared: bool = field(
        default=False,
        metadata={
            "help": "a folder of that name that is there already is used, whoever made it: one folder per Vorgang"
        },
    )
    key_property: PropertyId = field(
        default=PropertyId(""),
        metadata={"help": "property of the folder for the key of the Zustellung; needed unless {key} is in its name"},
    )
    properties: Mapping[str, str] = field(
        default_factory=lambda: EMPTY, metadata={"help": f"further properties, values {PATTERN_HELP}"}
    )

    def __post_init__(self) -> None:
        _demand_properties(self.properties)
        if self.shared and self.key_property:
            raise ValueError("a shared folder belongs to no single Zustellung: leave `key_property` out")
        if not self.shared and not self.key_property and "key" not in self.name.names:
            raise ValueError(
                "name a `key_property` or put {key} into `name`, otherwise our own folder is not found again"
            )


@dataclass(frozen=True, slots=True)
class Document:
    """As what each document is filed."""

    name: Pattern = field(default=Pattern("{file_name}"), metadata={"help": f"its name, {PATTERN_HELP}"})
    type: str = field(default="cmis:document", metadata={"help": "its object type"})
    properties: Mapping[str, str] = field(
        default_factory=lambda: EMPTY, metadata={"help": f"further properties, values {PATTERN_HELP}"}
    )

    def __post_init__(self) -> None:
        _demand_properties(self.properties)


@dataclass(frozen=True, slots=True)
class CmisSettings:
    """The settings of one CMIS target."""

    url: HttpUrl = field(metadata={"help": "address of the browser binding (the one that lists the repositories)"})
    folder: Pattern = field(
        metadata={"help": 'folder that exists: a path from "/" with {mandant} and business keys, or an object id'}
    )
    key_property: PropertyId = field(
        metadata={
            "help": "queryable text property of the documents (200 characters) for the key of the Zustellung and the hash"
        }
    )
    repository: str = field(default="", metadata={"help": "id of the repository; empty: the only one there is"})
    contents: Literal["package", "documents"] = field(
        default="package",
        metadata={"help": 'what is filed: the "package" as one file, or its message and all "documents" one by one'},
    )
    case: Case | None = field(
        default=None, metadata={"help": "make a folder for the case; without it all go into `folder`"}
    )
    document: Document = field(default_factory=Document, metadata={"help": "as what the documents are filed"})
    chunk_mb: int = field(
        default=64,
        metadata={
            "help": "larger documents are appended in pieces of so many MiB; 0: always in one request",
            "minimum": 0,
        },
    )
    versioning: bool = field(
        default=False, metadata={"help": "content of a filed document is changed on a checked-out copy only"}
    )
    csrf_header: str = field(
        default="", metadata={"help": "header of the server's CSRF token, as X-CSRF-Token; empty: it has none"}
    )
    auth: HttpAuth = field(default_factory=HttpAuth, metadata={"help": "how we log in"})
    http: HttpSettings = field(default_factory=HttpSettings, metadata={"help": "connection"})

    def __post_init__(self) -> None:
        if not self.key_property:
            raise ValueError("`key_property` is empty: our own documents could not be found again")
        if self.csrf_header and not _HEADER.fullmatch(self.csrf_header):
            raise ValueError("`csrf_header` is the name of a header")
        if self.contents == "documents" and not {"file_name", "n"} & set(self.document.name.names):
            raise ValueError("put {file_name} or {n} into `document.name`: a Zustellung has several documents")

    @property
    def chunk_bytes(self) -> int:
        return self.chunk_mb * 1024 * 1024
