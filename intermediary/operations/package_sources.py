"""Taking in schema packages from wherever an operator has them: a path, or the URN of a version in a publisher."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from intermediary.operations.xrepository import Publisher, What, fetch, kind_of, url_of
from intermediary.validate.install import Installed, Notes, install
from intermediary.validate.lock import product_pins


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be installed: a path, or the URN of a version; under which id, and whether its code lists are meant."""

    text: str
    as_id: str = ""
    used_lists: bool = False


def take_in(source: Source, folder: Path, *, publisher: Publisher | None, accept_new: bool, notes: Notes) -> Installed:
    """Install one source into a schemas folder; a URN is fetched from `publisher` first. Raises as both do."""
    pins = product_pins()
    if publisher is None or not source.text.startswith("urn:"):
        return install(Path(source.text), folder, pins, accept_new=accept_new, as_id=source.as_id, notes=notes)
    what: What = "used-lists" if source.used_lists else kind_of(source.text)
    named = replace(notes, urn=source.text, origin=url_of(publisher, source.text, what))
    with tempfile.TemporaryDirectory(prefix="schemas-") as place:
        file = fetch(publisher, source.text, what, Path(place))
        as_id = source.as_id or _id_of(source.text, what)
        return install(file, folder, pins, accept_new=accept_new, as_id=as_id, notes=named)


def _id_of(urn: str, what: What) -> str:
    """`xdomea@3.1.0` for `urn:xoev-de:xdomea:standard:xdomea_3.1.0`."""
    name, _, version = urn.rpartition(":")[2].rpartition("_")
    suffix = "-codelisten" if what == "used-lists" else ""
    return f"{re.sub('[^a-z0-9._-]', '-', name.lower())}{suffix}@{version}"
