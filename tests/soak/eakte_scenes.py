"""An e-file behind the targets of `connector_scenes` and `soap_scenes`: it takes packages there and answers with a 0402.

The transport is disturbed as it is without an e-file; the answers come as that transport brings them: from a folder of the
SFTP server, by asking an operation for the key (`eakte-asked`), into the answer folder otherwise.
"""

from __future__ import annotations

import json
import random
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.conformance.eakte_target import Imported, confirmation
from tests.soak import connector_scenes, soap_scenes
from tests.soak.connector_scenes import Scene
from tests.soak.connector_scenes import _toml as toml

FOLDERS = ("state", "folder", "archive", "unmatched")
SETTLED_SECONDS = 0.05

Opens = Callable[[Path, random.Random], AbstractContextManager[Scene]]


@contextmanager
def eakte(
    folder: Path,
    dice: random.Random,
    *,
    behind: Opens,
    is_asked: bool = False,
) -> Iterator[Scene]:
    """The scene `behind`, with an e-file that confirms each package once, in the moment it has it.

    One that is asked is the office of `soap_scenes`: it keeps its answers under the key of the package.
    """
    with behind(folder, dice) as inner:
        (target,) = tomllib.loads(inner.settings)["route"]["target"]
        transport, settings = target["connector"], target["settings"]
        for name in FOLDERS:
            (folder / name).mkdir()
        answers: dict[str, Any] = {name: str(folder / name) for name in FOLDERS[1:]}
        into = folder / "folder"
        if transport == "sftp":
            into = Path(settings["drop"]).parent / "export"
            into.mkdir()
            answers["remote"] = str(into)
        names = partial(_names_of_arrivals, inner)
        if is_asked:
            into = folder / "office" / "answers"
            into.mkdir()
            answers["call"] = {"operation": "abfragen", "arguments": {"schluessel": "key"}, "element": "antwort"}
            names = partial(_names_of_cases, folder / "office" / "journal")
        table = {"transport": transport, "state": str(folder / "state"), transport: settings, "answers": answers}
        over = threading.Event()
        thread = threading.Thread(target=_answer, args=(names, into, over), daemon=True)
        thread.start()
        try:
            yield Scene(
                toml("eakte_xdomea", table),
                inner.disturb,
                inner.arrived,
                is_certain=inner.is_certain,
                troubles=inner.troubles,
            )
        finally:
            over.set()
            thread.join()


def _names_of_arrivals(scene: Scene) -> dict[str, str]:
    """Each ProzessID that has arrived, and the name of the file with its answer."""
    return {one: f"{one}.xml" for one in scene.arrived()}


def _names_of_cases(journal: Path) -> dict[str, str]:
    """The same, where the file has the name of the key."""
    whole = journal.read_text().rpartition("\n")[0] if journal.exists() else ""
    cases = [json.loads(line) for line in whole.splitlines()]
    return {one["paketname"].partition("_")[0]: one["key"] for one in cases}


def _answer(names: Callable[[], dict[str, str]], into: Path, over: threading.Event) -> None:
    """One 0402 for each ProzessID that has arrived, under another name first."""
    answered: set[str] = set()
    while not over.wait(SETTLED_SECONDS):
        for one, name in names().items():
            if one not in answered:
                draft = into / f".{name}"
                draft.write_bytes(confirmation(one, Imported()))
                draft.rename(into / name)
                answered.add(one)


_BEHIND: dict[str, Opens] = {
    "sftp": connector_scenes.sftp,
    "rest": connector_scenes.SCENES["rest-native"],
    "soap": soap_scenes.SCENES["soap-lookup"],
}
SCENES = {
    **{f"eakte-{name}": partial(eakte, behind=behind) for name, behind in _BEHIND.items()},
    "eakte-asked": partial(eakte, behind=_BEHIND["soap"], is_asked=True),
}
