"""Looks whether the way back is usable, and whether answers lie aside, without touching anything."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from connectors.ordner.folder import opened, translated
from connectors.ordner.probe import demand, is_on_one_mount, is_writable
from intermediary.connect.api import Misconfigured


def probe_answers(answers: Path, archive: Path, unmatched: Path, *, beside: Iterable[Path]) -> None:
    """The three folders are there, writable, on one mount and none of them twice; nothing lies in `unmatched`.

    Raises `Misconfigured("target.answer.unmatched")` with the number of answers that a person has to look at.
    """
    named = {"answers.folder": answers, "answers.archive": archive, "answers.unmatched": unmatched}
    with ExitStack() as stack:
        folders = {where: stack.enter_context(opened(path, where)) for where, path in named.items()}
        others = [stack.enter_context(opened(path, "drop")) for path in beside]
        for where, folder in folders.items():
            demand(is_writable(folder), f"{where}: not writable")
            rest = [other for other in (*folders.values(), *others) if other != folder]
            is_alone = not any(os.path.sameopenfile(folder, other) for other in rest)
            demand(is_alone, f"{where}: is used for something else, too")
            demand(is_on_one_mount(folder, folders["answers.folder"]), f"{where}: not on the mount of answers.folder")
        with translated("answers.unmatched"):
            number = len(os.listdir(folders["answers.unmatched"]))
    if number:
        raise Misconfigured("target.answer.unmatched", where=f"answers.unmatched: {number}")
