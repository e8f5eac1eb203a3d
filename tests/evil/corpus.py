"""Reads the shared hostile corpus: its manifest, its files, and its recipes for large inputs."""

from __future__ import annotations

import base64
import gzip
import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = (
    Path(os.environ.get("INTERMEDIARY_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "vectors" / "hostile"
)
CURATED = Path(__file__).resolve().parents[1] / "vectors" / "hostile"
"""The cases that stand in the project."""


@dataclass(frozen=True)
class Attack:
    """One case of the corpus, its file below `folder`."""

    entry: dict[str, Any]
    folder: Path = FOLDER

    @property
    def id(self) -> str:
        return str(self.entry["id"])

    @property
    def expect(self) -> str:
        return str(self.entry["expect"])

    @property
    def seconds(self) -> float:
        return float(self.entry["ceiling"]["seconds"])

    @property
    def size(self) -> int:
        return int(self.entry.get("expanded_size", self.entry.get("size", 0)))

    @property
    def data(self) -> bytes:
        if "file" in self.entry:
            return self._aimed((self.folder / self.entry["file"]).read_bytes())
        return expand(self.entry["expand"])

    def _aimed(self, data: bytes) -> bytes:
        """With the canary's port and file put in, in whatever encoding the file has."""
        if "substitute" in self.entry:
            for name, value in canary_defaults().items():
                for codec in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
                    data = data.replace(f"@@{name}@@".encode(codec), str(value).encode(codec))
        return data

    def __str__(self) -> str:
        return f"{self.id}-{self.entry['attack']}"


def attacks(*families: str) -> list[Attack]:
    """The cases of these id prefixes, in the order of the manifest; without the shared material the curated ones."""
    return [one for one in (_cases(FOLDER) or _cases(CURATED)) if one.id.split("-")[0] in families]


def curated() -> list[Attack]:
    """The cases that stand in the project."""
    return _cases(CURATED)


def _cases(folder: Path) -> list[Attack]:
    if not (folder / "manifest.json").is_file():
        return []
    return [Attack(entry, folder) for entry in manifest(folder)["cases"]]


def manifest(folder: Path = FOLDER) -> dict[str, Any]:
    """What the corpus says of itself and its cases."""
    read: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
    return read


def canary_defaults() -> dict[str, Any]:
    """Port and file of the canary, as the manifest names them."""
    defaults: dict[str, Any] = manifest(CURATED)["canary_defaults"]
    return defaults


def expand(recipe: Any) -> bytes:
    """The bytes of a recipe (README of the corpus)."""
    if isinstance(recipe, str):
        return recipe.encode()
    if isinstance(recipe, list):
        return b"".join(map(expand, recipe))
    if "repeat" in recipe:
        return expand(recipe["repeat"]) * int(recipe["times"])
    if "counter" in recipe:
        return "".join(recipe["counter"].replace("{n}", str(n)) for n in range(recipe["from"], recipe["to"])).encode()
    simple = {
        "hex": bytes.fromhex,
        "b64": base64.b64decode,
        "zeros": bytes,
        "gzip": lambda part: gzip.compress(expand(part)),
        "deflate": lambda part: zlib.compress(expand(part)),
        "b64enc": lambda part: base64.b64encode(expand(part)),
        "b64u": lambda part: base64.urlsafe_b64encode(expand(part)).rstrip(b"="),
    }
    if "encode" in recipe:
        return expand(recipe["encode"]).decode().encode(recipe["codec"])
    [(kind, value)] = recipe.items()
    return simple[kind](value)  # type: ignore[operator]
