"""An installed schema as a tree of components to walk over: for generated shapes and generated inputs, never for judging."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from intermediary.validate.closure import Reader
from intermediary.validate.package import Package, Packages

if TYPE_CHECKING:
    from xmlschema import XMLSchema


_LOCATION = re.compile(rb'schemaLocation="(schema:/[0-9]+)"')  # as `Closure` spells its references


def walkable(packages: Packages, package: Package, entry: str) -> XMLSchema:
    """The components of one entry of a package, with everything it imports from the packages it requires.

    References lead where they lead when a document is checked (docs/reference/schema-packages.md), never to a network.
    Raises `Misconfigured` like the catalogue when the closure cannot be read.
    """
    from xmlschema import XMLSchema

    closure = Reader(packages).closure(package, entry, as_published=True)
    with tempfile.TemporaryDirectory() as name:
        files = {key: f"{number}.xsd" for number, key in enumerate(closure.documents)}
        for key, document in closure.documents.items():
            (Path(name) / files[key]).write_bytes(_LOCATION.sub(lambda found: _relative(found, files), document))
        return XMLSchema(str(Path(name) / files[closure.entry]), allow="sandbox")


def _relative(reference: re.Match[bytes], files: Mapping[str, str]) -> bytes:
    return b'schemaLocation="%s"' % files[reference[1].decode()].encode()
