"""Requests of the browser binding as HTML forms (CMIS 1.1, 5.4.4): fields, and a content that is streamed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from intermediary.connect.api import Body, Content, HttpRequest

Fields = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Upload:
    """A content on its way: as which file, of which media type."""

    file_name: str
    media_type: str
    content: Content


def properties(values: Mapping[str, str | Sequence[str]]) -> Fields:
    """Properties as fields `propertyId[n]`, `propertyValue[n]` (5.4.4.3.13); a list is one of many values."""
    fields: Fields = []
    for number, (name, value) in enumerate(values.items()):
        fields.append((f"propertyId[{number}]", name))
        if isinstance(value, str):
            fields.append((f"propertyValue[{number}]", value))
        else:
            fields += [(f"propertyValue[{number}][{place}]", one) for place, one in enumerate(value)]
    return fields


def form_request(url: str, fields: Fields, headers: Mapping[str, str]) -> HttpRequest:
    """A form without content."""
    media = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
    return HttpRequest("POST", url, {**headers, **media}, Body((urlencode(fields).encode("ascii"),)))


def upload_request(url: str, fields: Fields, upload: Upload, headers: Mapping[str, str]) -> HttpRequest:
    """A form with a content; nothing of it is held in memory."""
    boundary = f"cmis-{secrets.token_hex(24)}"
    head = b"".join(_field(boundary, name, value) for name, value in fields)
    head += (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="content"; filename="{_quoted(upload.file_name)}"\r\n'
        f"Content-Type: {_media_type(upload.media_type)}\r\n"
        "Content-Transfer-Encoding: binary\r\n\r\n"
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    media = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return HttpRequest("POST", url, {**headers, **media}, Body((head, upload.content, tail)))


def _field(boundary: str, name: str, value: str) -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n'
    return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{value}\r\n".encode()


def _quoted(text: str) -> str:
    """As browsers write a file name (HTML living standard, multipart/form-data)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _media_type(text: str) -> str:
    return text if text.isascii() and text.isprintable() and "/" in text else "application/octet-stream"
