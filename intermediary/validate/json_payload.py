"""An application in JSON: read within ceilings, named for routes, and held against the JSON schema of its route.

The schema is what `[route.files]` names as `jsonschema`. There is no catalogue of them: JSON rarely names its kind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.json_review import JsonSchemaError
from intermediary.core.json_schema import ROUTE_SCHEMA, JsonSchema, read_json_schema
from intermediary.core.json_text import HINTS, LIMITS, MAX_BYTES, JsonError, read_json
from intermediary.core.roots import JSON_ROOT
from intermediary.core.values import Befund, Part
from intermediary.validate.verdict import NOT_RUN, RuleSet, Verdict

_BROKEN = "mapping.setting.invalid"
_LONGEST_NAME = 200
_HINT = "Diese Angabe entspricht nicht dem JSON-Schema des Formulars."
_EFFORT = "Die Angaben sind so geschachtelt, dass ihre Prüfung kein Ende nähme."


def is_json(part: Part) -> bool:
    """Whether a part says of itself, by media type or name, that it is JSON."""
    media_type = part.media_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json") or part.name.lower().endswith(".json")


def opens_like_json(part: Part) -> bool:
    """Whether a part that says nothing of its type begins like a JSON object."""
    with part.content.open() as stream:
        return stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").startswith(b"{")


def read_part(part: Part) -> Any:
    """The document. Raises `Rejected`: `json.limit` for what is too much, `json.malformed` with the rule for all else."""
    try:
        if part.content.length > MAX_BYTES:
            raise JsonError("size")
        return read_json(part.content.read())
    except JsonError as wrong:
        code = "json.limit" if wrong.rule in LIMITS else "json.malformed"
        finding = Befund(code, path="/", line=wrong.line, rule=f"json.{wrong.rule}", hint=HINTS[wrong.rule])
        raise Rejected(code, where=wrong.rule, findings=(finding,)) from None


def root_of(document: Any) -> str:
    """What routes know a JSON document by: `json:` and its `$schema`, or `json` alone when it names none.

    The prefix keeps a sender from naming an XML root; a name that is no short printable text counts as none.
    """
    named = document.get("$schema") if isinstance(document, dict) else None
    is_name = isinstance(named, str) and 0 < len(named) <= _LONGEST_NAME and named.isprintable() and " " not in named
    return f"{JSON_ROOT}:{named}" if is_name else JSON_ROOT


def check_json(document: Any, files: Mapping[str, bytes]) -> Verdict:
    """The verdict of the JSON schema among `files`, those of the route; not run when there is none.

    Raises `Misconfigured` as `route_schema` does.
    """
    schema = route_schema(files)
    if schema is None:
        return NOT_RUN
    rules = RuleSet(ROUTE_SCHEMA, ROUTE_SCHEMA, "", hashlib.sha256(files[ROUTE_SCHEMA]).hexdigest())
    findings = tuple(
        Befund(
            "validate.input.invalid",
            path=_place(one.pointer, schema),
            rule=f"json.{one.keyword}",
            hint=_EFFORT if one.keyword == "effort" else _HINT,
        )
        for one in schema.problems(document)
    )
    return Verdict(True, (rules,), findings)


def _place(pointer: str, schema: JsonSchema) -> str:
    """The pointer, with `*` for a name that the schema does not know: such a name is the sender's text."""
    steps = pointer.split("/")[1:]
    known = (one if one.isdecimal() or _unescaped(one) in schema.names else "*" for one in steps)
    return f"/{'/'.join(known)}"


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def route_schema(files: Mapping[str, bytes]) -> JsonSchema | None:
    """The JSON schema among the files of a route; the same bytes are read once per process.

    Raises `Misconfigured("mapping.setting.invalid")` naming the file when it is not understood whole.
    """
    return _schema(files[ROUTE_SCHEMA]) if ROUTE_SCHEMA in files else None


@lru_cache(maxsize=64)
def _schema(data: bytes) -> JsonSchema:
    try:
        return read_json_schema(data)
    except JsonSchemaError as wrong:
        path = f"files.{ROUTE_SCHEMA}"
        hint = f"kein verstandenes JSON-Schema ({wrong})"
        raise Misconfigured(_BROKEN, where=path, findings=(Befund(_BROKEN, path=path, hint=hint),)) from None
