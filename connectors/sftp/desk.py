"""The folder of one key in the staging folder: what is underway under this key, and what is known of it.

    N.part/     an attempt uploads here; N grows with each attempt. A later one takes the folder over by renaming it
    sealed/     all is uploaded; `seal.json` says what it becomes. Made by renaming `N.part`, so there is only ever one
    N.void/     taken out of the way by renaming, then removed

Units leave `sealed` into the drop by a rename each, so none can be put there twice, and from the files alone it is known:

    no `sealed`                     nothing has arrived
    `sealed` with units left        not (all of it) has arrived; a new attempt only renames
    `sealed`, nothing but the seal  delivered, whatever the target has done with it since

Every change of owner is one rename of a folder: a process that was stopped and overtaken finds its folder gone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime

from connectors.sftp.plan import File, Unit
from connectors.sftp.remote import Facts, Failure, Remote, RemoteError
from intermediary.connect.api import Steps, Transient, Unclear

_SEAL = "seal.json"
_SEALED = "sealed"
_NUMBERED = re.compile(r"([0-9]{1,9})\.(part|void)")
_VERSION = 1
STEP = "document"


@dataclass(frozen=True, slots=True)
class Seal:
    """The content of `seal.json`: what goes into the drop under this key. It is never rewritten.

    `finals` are the paths in the drop, in order; `fingerprints` tell the same output from another one; `proof` is what
    shows the delivery.
    """

    finals: tuple[str, ...]
    fingerprints: tuple[str, ...]
    notes: tuple[str, ...]
    proof: dict[str, str]
    sealed_at: datetime

    def is_for(self, units: Sequence[Unit]) -> bool:
        return self.fingerprints == tuple(unit.fingerprint() for unit in units)


class Desk:
    """The folder of one key. Raises `RemoteError`, and `Unclear` when what lies there is damaged."""

    def __init__(self, remote: Remote, staging: str, key: str) -> None:
        self._remote = remote
        self._staging = staging
        self.folder = f"{staging}/{key}"

    def seal(self) -> Seal | None:
        """What was sealed under this key; first what an interrupted withdrawal left is brought in order."""
        self._settle()
        note = self._remote.note(f"{self.folder}/{_SEALED}/{_SEAL}")
        return None if note is None else _read(note)

    def left(self, seal: Seal) -> list[int]:
        """The positions of the units that are still here."""
        names = set(self._remote.names(f"{self.folder}/{_SEALED}"))
        return [position for position in range(len(seal.finals)) if str(position) in names]

    def place(self, position: int) -> str:
        """Where a sealed unit lies until it is renamed."""
        return f"{self.folder}/{_SEALED}/{position}"

    def upload(self, units: Sequence[Unit], steps: Steps, *, attempt: int, verify: bool) -> tuple[str, Facts]:
        """Upload everything into a folder of this attempt; what an earlier one has completed is kept.

        Gives that folder, and what the server says of the package.
        """
        self._remote.make_folder(self.folder)
        part = self._take_over(attempt)
        self._remote.remove(f"{part}/{_SEAL}")  # first: without its seal a folder is never taken for a complete one
        known = {str(position) for position in range(len(units))}
        for stray in set(self._remote.names(part)) - known:
            self._purge(f"{part}/{stray}")
        facts = Facts(0, 0, is_folder=False)
        for position, unit in enumerate(units):
            place = f"{part}/{position}"
            is_last = position == len(units) - 1
            if unit.is_folder:
                facts = self._upload_folder(place, unit, steps, verify=verify, is_last=is_last)
            else:
                facts = self._upload(place, unit.files[0], steps, verify=verify, is_last=is_last)
        return part, facts

    def close(self, part: str, seal: Seal) -> None:
        """Seal what was uploaded into `part`: `Transient("target.busy")` when somebody else has been quicker."""
        data = json.dumps({**asdict(seal), "sealed_at": seal.sealed_at.isoformat(), "version": _VERSION}).encode()
        self._remote.upload(f"{part}/{_SEAL}", (data,), len(data))
        try:
            self._remote.rename(part, f"{self.folder}/{_SEALED}")
        except RemoteError as error:
            if error.failure is Failure.LOST:
                raise
            with suppress(RemoteError):
                self._purge(part)
            raise Transient("target.busy", where="staging") from error

    def withdraw(self, seal: Seal) -> None:
        """Take a seal back, of which nothing may have arrived: `Unclear("output.changed")` if something has."""
        if len(self.left(seal)) < len(seal.finals):
            raise Unclear("output.changed", where="staging")
        self._remote.rename(f"{self.folder}/{_SEALED}", f"{self.folder}/{self._next(0)}.void")
        self._settle()
        if self._remote.facts(f"{self.folder}/{_SEALED}") is not None:  # something had arrived meanwhile
            raise Unclear("output.changed", where="staging")

    def _settle(self) -> None:
        """Remove what is void; a seal of which something is missing has delivered that, and is put back."""
        for name in self._names():
            if not name.endswith(".void"):
                continue
            void = f"{self.folder}/{name}"
            note = self._remote.note(f"{void}/{_SEAL}")
            is_whole = True
            if note is not None:
                names = set(self._remote.names(void))
                is_whole = all(str(position) in names for position in range(len(_read(note).finals)))
            if is_whole:
                self._purge(void)
            else:
                self._remote.rename(void, f"{self.folder}/{_SEALED}")

    def _take_over(self, attempt: int) -> str:
        """A folder with the highest number: the newest one of an earlier attempt, or a new one."""
        part = f"{self.folder}/{self._next(attempt)}.part"
        olds = sorted((name for name in self._names() if name.endswith(".part")), key=lambda name: int(name[:-5]))
        try:
            if olds:
                self._remote.rename(f"{self.folder}/{olds[-1]}", part)
            else:
                self._remote.make_folder(part)
        except RemoteError as error:
            if error.failure is Failure.MISSING:  # its owner is alive and has just sealed it, or somebody else took it
                raise Transient("target.busy", where="staging") from error
            raise
        return part

    def _upload_folder(self, place: str, unit: Unit, steps: Steps, *, verify: bool, is_last: bool) -> Facts:
        self._remote.make_folder(place)
        for stray in set(self._remote.names(place)) - {one.name for one in unit.files}:
            self._purge(f"{place}/{stray}")
        facts = Facts(0, 0, is_folder=False)
        for one in unit.files:
            is_end = is_last and one is unit.files[-1]
            facts = self._upload(f"{place}/{one.name}", one, steps, verify=verify, is_last=is_end)
        return facts

    def _upload(self, place: str, file: File, steps: Steps, *, verify: bool, is_last: bool) -> Facts:
        step = f"{STEP}/{file.sha256[:40]}"
        found = self._remote.facts(place)
        if found is not None:
            if steps.get(step) is not None and found.length == file.length and not found.is_folder:
                return found  # an earlier attempt had completed it
            self._purge(place)
        facts = self._remote.upload(place, file.pieces(), file.length)
        if verify and self._remote.sha256(place, file.length) != file.sha256:
            raise RemoteError(Failure.FAILED)
        if (
            not is_last
        ):  # after the last one the seal follows: a step would only keep an unsent output from being changed
            steps.done(step, {"sha256": file.sha256})
        return facts

    def _purge(self, path: str) -> None:
        found = self._remote.facts(path)
        if found is None:
            return
        if not found.is_folder:
            self._remote.remove(path)
            return
        self._remote.remove(f"{path}/{_SEAL}")
        for name in self._remote.names(path):
            self._purge(f"{path}/{name}")
        self._remote.remove_folder(path)

    def _names(self) -> list[str]:
        try:
            return [name for name in self._remote.names(self.folder) if _NUMBERED.fullmatch(name)]
        except RemoteError as error:
            if error.failure is not Failure.MISSING or self._remote.facts(self._staging) is None:
                raise
            return []

    def _next(self, least: int) -> int:
        numbers = [int(name.partition(".")[0]) for name in self._names()]
        return max([least, *(number + 1 for number in numbers)])


def _read(note: bytes) -> Seal:
    try:
        fields = json.loads(note)
        return Seal(
            finals=tuple(fields["finals"]),
            fingerprints=tuple(fields["fingerprints"]),
            notes=tuple(fields["notes"]),
            proof={str(name): str(value) for name, value in fields["proof"].items()},
            sealed_at=datetime.fromisoformat(fields["sealed_at"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as damage:
        raise Unclear("delivery.unclear", where="staging") from damage
