"""Makes the bodies of requests: JSON, parts, or the bare file; contents are streamed and never held."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.rest.settings import Multipart, Request
from connectors.rest.template import Template
from intermediary.connect.api import Base64, Body, Content, Dokument, Zustellauftrag

DOCUMENT: Mapping[str, object] = {
    "fileName": "{file_name}",
    "mediaType": "{media_type}",
    "length": "{length}",
    "sha256": "{sha256}",
    "data": "{data}",
}
ZUSTELLUNG: Mapping[str, object] = {
    "key": "{key}",
    "nachricht": "{nachricht}",
    "mandant": "{mandant}",
    "test": "{test}",
    "package": "{package}",
    "documents": "{documents}",
}


@dataclass(frozen=True, slots=True)
class _Data:
    """A place in JSON where a content stands in base64."""

    content: Content


def values_of(auftrag: Zustellauftrag) -> dict[str, object]:
    """What placeholders stand for in every request of a Zustellung."""
    return {
        "key": auftrag.key,
        "nachricht": auftrag.nachricht_id,
        "mandant": auftrag.mandant,
        "test": auftrag.is_test,
        **{f"package.{name}": value for name, value in _of_file(auftrag.package, 0).items() if name != "n"},
        **{f"business.{name}": value for name, value in auftrag.business_keys.items()},
    }


def of_one_file(dokument: Dokument, number: int) -> dict[str, object]:
    """What placeholders stand for besides, in a request for one file; `number` counts from 1."""
    return _of_file(dokument, number)


def body_of(
    request: Request,
    auftrag: Zustellauftrag,
    file: Dokument | None,
    values: Mapping[str, object],
    *,
    document_json: Mapping[str, object],
    multipart: Multipart,
) -> tuple[str, Body]:
    """The media type and body of one request; `file` is the one it is for, or None."""
    match request.body:
        case "none":
            return "", Body()
        case "raw":
            one = file or auftrag.package
            return one.media_type, Body((one.content,))
        case "json":
            return "application/json", _json(request, auftrag, file, values, document_json, request.contents != "none")
        case _:
            boundary = f"intermediary-{auftrag.key}"
            text = _json(request, auftrag, file, values, document_json, has_data=False)
            parts = _parts(request, auftrag, file, text, multipart, boundary)
            return f"multipart/form-data; boundary={boundary}", parts


def _json(
    request: Request,
    auftrag: Zustellauftrag,
    file: Dokument | None,
    values: Mapping[str, object],
    document_json: Mapping[str, object],
    has_data: bool,
) -> Body:
    shape = document_json or DOCUMENT
    with_data = {"package": has_data, "documents": has_data and request.contents == "all"}
    scope = {
        **values,
        "package": _file(auftrag.package, 0, shape, values, with_data["package"]),
        "documents": [
            _file(one, number, shape, values, with_data["documents"]) for number, one in enumerate(auftrag.dokumente, 1)
        ],
    }
    default = shape if file is not None else ZUSTELLUNG
    contents: list[Content] = []
    mark = f"\0{auftrag.key}:"
    tree = _filled(request.json or default, scope, contents, mark, has_data)
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":"))
    # In the text the marks are escaped, and nothing else in it can have our key between two zeros.
    pieces = re.split(re.escape(json.dumps(mark)[1:-1]) + r"([0-9]+)\\u0000", text)
    parts: list[bytes | Base64] = []
    for position, piece in enumerate(pieces):
        parts.append(Base64(contents[int(piece)]) if position % 2 else piece.encode())
    return Body(tuple(parts))


def _file(
    dokument: Dokument, number: int, shape: Mapping[str, object], values: Mapping[str, object], has_data: bool
) -> dict[str, object]:
    scope = {**values, **_of_file(dokument, number)}
    return {
        name: scope["data"] if value == "{data}" else _filled(value, scope, [], "", False)
        for name, value in shape.items()
        if value != "{data}" or has_data
    }


def _filled(value: object, scope: Mapping[str, object], contents: list[Content], mark: str, has_data: bool) -> Any:
    """A JSON template with its values; contents become marks."""
    match value:
        case str():
            text = Template(value)
            sole = scope.get(text.sole) if text.sole else None
            return text.fill(scope) if sole is None else _filled_value(sole, contents, mark, has_data)
        case Mapping():
            return {name: _filled(item, scope, contents, mark, has_data) for name, item in value.items()}
        case list() | tuple():
            return [_filled(item, scope, contents, mark, has_data) for item in value]
        case _:
            return value


def _filled_value(value: object, contents: list[Content], mark: str, has_data: bool) -> Any:
    match value:
        case _Data(content):
            if not has_data:
                return None
            contents.append(content)
            return f"{mark}{len(contents) - 1}\0"
        case Mapping():
            return {name: _filled_value(item, contents, mark, has_data) for name, item in value.items()}
        case list():
            return [_filled_value(item, contents, mark, has_data) for item in value]
        case _:
            return value


def _parts(
    request: Request, auftrag: Zustellauftrag, file: Dokument | None, text: Body, names: Multipart, boundary: str
) -> Body:
    pieces: list[bytes | Content | Base64] = []
    if names.metadata:
        pieces += [_head(boundary, names.metadata, "", "application/json"), *text.parts, b"\r\n"]
    for name, one in _files(request, auftrag, file, names):
        pieces += [_head(boundary, name, one.file_name, one.media_type), one.content, b"\r\n"]
    return Body((*pieces, f"--{boundary}--\r\n".encode()))


def _files(
    request: Request, auftrag: Zustellauftrag, file: Dokument | None, names: Multipart
) -> Sequence[tuple[str, Dokument]]:
    if file is not None:
        name = names.package if file is auftrag.package else names.document
        found = [(name, file)] if request.contents != "none" else []
    else:
        documents = auftrag.dokumente if request.contents == "all" else ()
        package = [(names.package, auftrag.package)] if request.contents != "none" else []
        found = [*package, *((names.document, one) for one in documents)]
    return [(name, one) for name, one in found if name]


def _head(boundary: str, name: str, file_name: str, media_type: str) -> bytes:
    disposition = f'form-data; name="{name}"'
    if file_name:  # RFC 7578: what would end the quotes is escaped
        escaped = file_name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        disposition += f'; filename="{escaped}"'
    return f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: {media_type}\r\n\r\n".encode()


def _of_file(dokument: Dokument, number: int) -> dict[str, object]:
    return {
        "file_name": dokument.file_name,
        "media_type": dokument.media_type,
        "length": dokument.content.length,
        "sha256": dokument.content.sha256,
        "n": number,
        "data": _Data(dokument.content),
    }
