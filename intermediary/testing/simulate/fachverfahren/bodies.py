"""Takes bodies of requests apart: the files in a form, in JSON or MTOM, or the one file that it is."""

from __future__ import annotations

import base64
import binascii
import email
import email.policy
import json
from collections.abc import Iterator
from typing import Any

from intermediary.testing.simulate.fachverfahren.inbox import Content

MOST_BYTES = 512 * 1024**2
_NAMES = ("file_name", "fileName", "filename", "name", "dateiname")
_DATA = ("content", "data", "base64", "inhalt", "daten")


class Unreadable(ValueError):
    """A body that is not what its Content-Type says."""


def parts_of(body: bytes, media_type: str) -> list[tuple[str, str, str, bytes]]:
    """Field name or Content-ID, file name, media type and bytes of every part of a MIME multipart."""
    head = f"Content-Type: {media_type}\r\n\r\n".encode("latin-1", "replace")
    message = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    if not message.is_multipart():
        raise Unreadable("multipart")
    found = []
    for part in message.iter_parts():
        data = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition") or str(part.get("Content-ID", "")).strip("<>")
        if isinstance(data, bytes):
            found.append((str(name), part.get_filename() or "", part.get_content_type(), data))
    return found


def contents_of(body: bytes, media_type: str, name: str) -> list[Content]:
    """The files in the body of a REST request; raises `Unreadable`."""
    plain = media_type.partition(";")[0].strip().lower()
    if plain.startswith("multipart/"):
        return [
            Content.of(file or field or name, data, media) for field, file, media, data in parts_of(body, media_type)
        ]
    if plain == "application/json" or plain.endswith("+json"):
        try:
            files = list(_in_json(json.loads(body)))
        except (ValueError, RecursionError) as damage:
            raise Unreadable("json") from damage
        return files or [Content.of(name or "anfrage.json", body, plain)]
    return [Content.of(name or "anfrage", body, plain)] if body else []


def key_in(body: bytes, media_type: str) -> str:
    """A key that stands in JSON, where no header has it."""
    if "json" not in media_type:
        return ""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for name in ("key", "idempotencyKey", "schluessel"):
        if isinstance(told, dict) and isinstance(told.get(name), str):
            return str(told[name])
    return ""


def _in_json(value: Any) -> Iterator[Content]:
    """Objects that have a name and base64, at any depth."""
    if isinstance(value, list):
        for one in value:
            yield from _in_json(one)
    if not isinstance(value, dict):
        return
    data = next((value[name] for name in _DATA if isinstance(value.get(name), str)), None)
    name = next((value[one] for one in _NAMES if isinstance(value.get(one), str)), "")
    if data is not None:
        try:
            yield Content.of(name, base64.b64decode(data, validate=True))
            return
        except binascii.Error:
            pass
    for one in value.values():
        yield from _in_json(one)
