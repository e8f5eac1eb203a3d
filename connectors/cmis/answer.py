"""What a CMIS server says: objects in both notations, exceptions by name (CMIS 1.1, 5.2.9 and 5.2.10)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from intermediary.connect.api import EMPTY, Fault, HttpAnswer, Misconfigured, Transient, Unclear

_LONGEST_ID = 400
_MISCONFIGURED = frozenset(
    {
        "constraint",
        "filterNotValid",
        "invalidArgument",
        "notSupported",
        "objectNotFound",
        "streamNotSupported",
        "versioning",
    }
)
NAME_TAKEN = frozenset({"nameConstraintViolation", "contentAlreadyExists"})


class Absent(Exception):
    """The server knows no such object."""


class NameTaken(Exception):
    """An object of that name is there already; nothing was made."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object of the repository as far as we look at it; what the server does not say is empty or None.

    `properties` by id; `sha256` is the server's own hash of the content.
    """

    id: str
    properties: Mapping[str, Any] = field(default_factory=lambda: EMPTY, repr=False)

    def text(self, name: str) -> str:
        value = self.properties.get(name)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        return value if isinstance(value, str) else ""

    def flag(self, name: str) -> bool:
        return self.properties.get(name) is True

    @property
    def length(self) -> int | None:
        """Bytes of the content, None where the server does not say; no content has none."""
        value = self.properties.get("cmis:contentStreamLength")
        return value if isinstance(value, int) and value >= 0 else None

    @property
    def sha256(self) -> str:
        hashes = self.properties.get("cmis:contentStreamHash")
        for one in hashes if isinstance(hashes, list) else [hashes]:
            if isinstance(one, str) and one.lower().startswith("{sha-256}"):
                return one[len("{sha-256}") :].strip().lower()
        return ""

    @property
    def is_folder(self) -> bool:
        return self.text("cmis:baseTypeId") == "cmis:folder"

    @property
    def is_untouched(self) -> bool:
        """Whether nobody but its creator has changed it."""
        return bool(self.text("cmis:createdBy")) and self.text("cmis:createdBy") == self.text("cmis:lastModifiedBy")

    def moment(self, name: str) -> str:
        """A point in time as the server told it (milliseconds since 1970, 5.2.7), in ISO format."""
        value = self.properties.get(name)
        if not isinstance(value, int) or not 0 <= value < 10**14:
            return ""
        return datetime.fromtimestamp(value // 1000, UTC).isoformat()


def found(data: object) -> Found:
    """An object from its JSON, succinct or not. ValueError when it is none."""
    if not isinstance(data, dict):
        raise ValueError("no object")
    properties = data.get("succinctProperties")
    if not isinstance(properties, dict):
        properties = {
            name: one.get("value") for name, one in _table(data.get("properties")).items() if isinstance(one, dict)
        }
    identity = properties.get("cmis:objectId")
    if not isinstance(identity, str) or not identity.isprintable() or not 0 < len(identity) <= _LONGEST_ID:
        raise ValueError("an object without id")
    return Found(identity, properties)


def found_all(data: object) -> list[Found]:
    """The objects of a query's answer. ValueError when it is none."""
    results = _table(data).get("results")
    if not isinstance(results, list):
        raise ValueError("no results")
    return [found(one) for one in results]


def json_of(answer: HttpAnswer) -> object:
    """The JSON of an answer; ValueError when it is none."""
    try:
        return json.loads(answer.body)
    except RecursionError as failure:
        raise ValueError("too deep") from failure


def exception_of(answer: HttpAnswer) -> str:
    """The name of the CMIS exception in an answer, empty when there is none that we know."""
    try:
        name = _table(json_of(answer)).get("exception")
    except ValueError:
        return ""
    known = _MISCONFIGURED | NAME_TAKEN | {"permissionDenied", "storage", "updateConflict", "runtime"}
    return name if isinstance(name, str) and name in known else ""


def refusal(answer: HttpAnswer, *, where: str) -> Exception:
    """What an unsuccessful answer to a request with an effect means; the message in it is never looked at.

    A CMIS exception says that nothing was done, except `runtime`, which may say anything (2.2.1.4).
    """
    name = exception_of(answer)
    place = f"{where}: {name}"
    if answer.status in (429, 503) or not name or name == "runtime":
        return answer.fault(where=where) if answer.status not in (400, 409, 422) else _misfit(answer, where)
    if name in NAME_TAKEN:
        return NameTaken()
    if name == "objectNotFound":
        return Absent()
    if name == "permissionDenied":
        return Misconfigured("target.credentials", where=place)
    if name == "storage":
        return Transient("target.full", where=place, retry_after=answer.retry_after)
    if name == "updateConflict":
        return Transient("target.busy", where=place)
    return Misconfigured("target.misconfigured", where=place)


def ask_refusal(answer: HttpAnswer, *, where: str) -> Exception:
    """The same for a request that only asks: whatever heals by time may be asked again."""
    if answer.status == 404 and exception_of(answer) in ("objectNotFound", ""):
        return Absent()
    failure = refusal(answer, where=where)
    if isinstance(failure, Unclear):
        return Transient("target.unreachable", where=failure.where, retry_after=answer.retry_after)
    return failure


def _misfit(answer: HttpAnswer, where: str) -> Fault:
    """400, 409 and 422 without a CMIS exception refuse the request, not the sender's content."""
    return Misconfigured("target.http", where=f"{where}: HTTP {answer.status}")


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
