"""An e-file behind the targets of `connector_scenes` and `soap_scenes`: it takes packages there and answers with a 0402.

The transport is disturbed as it is without an e-file; the answers come as that transport brings them: from a folder of the
SFTP server, into the answer folder otherwise.
"""

from __future__ import annotations

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


@contextmanager
def eakte(
    folder: Path, dice: random.Random, *, behind: Callable[[Path, random.Random], AbstractContextManager[Scene]]
) -> Iterator[Scene]:
    """The scene `behind`, with an e-file that confirms each package once, in the moment it has it."""
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
        table = {"transport": transport, "state": str(folder / "state"), transport: settings, "answers": answers}
        over = threading.Event()
        thread = threading.Thread(target=_answer, args=(inner, into, over), daemon=True)
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


def _answer(scene: Scene, into: Path, over: threading.Event) -> None:
    """One 0402 for each ProzessID that has arrived, under another name first."""
    answered: set[str] = set()
    while not over.wait(SETTLED_SECONDS):
        for one in set(scene.arrived()) - answered:
            draft = into / f".{one}.xml"
            draft.write_bytes(confirmation(one, Imported()))
            draft.rename(into / f"{one}.xml")
            answered.add(one)


SCENES = {
    f"eakte-{name}": partial(eakte, behind=behind)
    for name, behind in {
        "sftp": connector_scenes.sftp,
        "rest": connector_scenes.SCENES["rest-native"],
        "soap": soap_scenes.SCENES["soap-lookup"],
    }.items()
}
