"""Reads a form as it comes in: fields into memory, the content into a file (RFC 7578)."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qsl

from starlette.requests import Request

from intermediary.testing.cmis.errors import CmisError
from intermediary.testing.cmis.stored import Stored

_MOST_FIELD_BYTES = 1 << 20
_NAME = re.compile(r'name="([^"]*)"')
_FILE_NAME = re.compile(r'filename="?([^";]*)"?')
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')


@dataclass(slots=True)
class Form:
    """The fields of a request and its content."""

    fields: dict[str, str] = field(default_factory=dict)
    content: Stored | None = None

    def flag(self, name: str, default: bool) -> bool:
        return self.fields.get(name, "true" if default else "false").lower() == "true"

    def properties(self) -> dict[str, str | list[str]]:
        """Properties as the fields name them (CMIS 1.1, 5.4.4.3.13)."""
        values: dict[str, str | list[str]] = {}
        for name, identity in self.fields.items():
            number = re.fullmatch(r"propertyId\[(\d+)\]", name)
            if number is None:
                continue
            many = [self.fields[one] for one in self.fields if one.startswith(f"propertyValue[{number[1]}][")]
            values[identity] = many or self.fields.get(f"propertyValue[{number[1]}]", "")
        return values


async def read_form(request: Request, folder: Path) -> Form:
    """The form of a request; `invalidArgument` when it ends too early or is none."""
    media = request.headers.get("content-type", "")
    boundary = _BOUNDARY.search(media)
    if media.startswith("multipart/form-data") and boundary is not None:
        return await _multipart(request.stream(), boundary[1].encode("ascii"), folder)
    return Form(dict(parse_qsl((await request.body()).decode("utf-8"), keep_blank_values=True)))


async def _multipart(stream: AsyncIterator[bytes], boundary: bytes, folder: Path) -> Form:
    source, form = _Source(stream, b"\r\n--" + boundary), Form()
    await source.part(None)  # what stands before the first delimiter is nothing
    while not await source.is_end():
        head = (await source.until(b"\r\n\r\n")).decode("utf-8")
        name, file_name = _NAME.search(head), _FILE_NAME.search(head)
        if file_name is None:
            form.fields[name[1] if name else ""] = (await source.part(None)).decode("utf-8")
        else:
            path = folder / f"content-{uuid.uuid4().hex}"
            with path.open("wb") as file:
                length = int(await source.part(file))
            form.content = Stored((path,), length, _media_type(head), file_name[1])
    return form


def _media_type(head: str) -> str:
    found = re.search(r"^content-type:\s*([^\r\n;]+)", head, re.IGNORECASE | re.MULTILINE)
    return found[1].strip() if found else "application/octet-stream"


class _Source:
    """A body as far as it has come, and the delimiter between its parts."""

    def __init__(self, stream: AsyncIterator[bytes], delimiter: bytes) -> None:
        self._stream = stream
        self._delimiter = delimiter
        self._held = bytearray(b"\r\n")

    async def part(self, file: BinaryIO | None) -> bytes:
        """What comes before the next delimiter, or its length when it goes into a file."""
        length, kept = 0, bytearray()
        while (place := self._held.find(self._delimiter)) < 0:
            safe = max(0, len(self._held) - len(self._delimiter))
            length += safe
            if file is not None:
                file.write(memoryview(self._held)[:safe])
            else:
                kept += self._held[:safe]
                if len(kept) > _MOST_FIELD_BYTES:
                    raise CmisError("invalidArgument", "a field is too long")
            self._held = self._held[safe:]
            await self._more()
        rest = bytes(self._held[:place])
        del self._held[: place + len(self._delimiter)]
        if file is None:
            return bytes(kept) + rest
        file.write(rest)
        return str(length + len(rest)).encode()

    async def until(self, mark: bytes) -> bytes:
        while (place := self._held.find(mark)) < 0:
            await self._more()
        found = bytes(self._held[:place])
        del self._held[: place + len(mark)]
        return found

    async def is_end(self) -> bool:
        """Whether the delimiter just passed was the last one."""
        while len(self._held) < 2:
            await self._more()
        return self._held[:2] == b"--"

    async def _more(self) -> None:
        async for piece in self._stream:
            if piece:
                self._held += piece
                return
        raise CmisError("invalidArgument", "the form ends too early")
