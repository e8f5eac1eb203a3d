"""The folder door: takes files that appear in a watched folder, and removes each when it is durable (promise G1).

A crash between the two leaves a file that was taken: it is offered again and recognised (promise G13). Senders write
under another name and rename when the file is complete.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import structlog
from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_any,
    stop_when_event_set,
)
from tenacity.wait import wait_base, wait_random_exponential

from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Rejected
from intermediary.core.values import Eingang
from intermediary.ingress.doors import OSCI_MIME, DoorRules, DoorState, DoorStatus, Take, build_eingang, check_size
from intermediary.ingress.gate import OPEN, Gate
from intermediary.ingress.inbox import FileInbox, Lying, is_same
from intermediary.ingress.regular import IrregularFile, UnreadableFile
from intermediary.ingress.sidecar import read_sidecar
from intermediary.ingress.taking import GivenBack, StopWhen, Taker
from intermediary.keys.spool import Spool, SpoolStopped, SpoolTooLarge

log = structlog.get_logger(__name__)

_PER_SCAN = 10_000
_OF_ONE_FILE = frozenset({errno.EPERM, errno.EIO, errno.ESTALE, errno.EBUSY, errno.ELOOP, errno.ENAMETOOLONG})


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """How a folder door watches: `batch` files, but no more than about `batch_bytes`, are committed together."""

    inbox: Path
    poll_seconds: float = 0.1
    batch: int = 50
    batch_bytes: int = 64 * 1024 * 1024
    hold_seconds: float = 300.0
    aside_seconds: float = 30.0
    content_type: str = OSCI_MIME


class FolderDoor:
    """Watches one folder; implements `Door`. One door per folder: two would take files twice (and recognise them).

    A missing or unreadable folder is reported and looked for again; it is not created. A single file that cannot be read
    or moved is set aside for a while and keeps no other back.
    """

    def __init__(
        self,
        settings: FolderSettings,
        rules: DoorRules,
        *,
        take: Take,
        clock: Callable[[], datetime],
        spool: Spool,
        gate: Gate = OPEN,
        ticks: Callable[[], float] = time.monotonic,
        wait: wait_base | None = None,
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._clock = clock
        self._spool = spool
        self._gate = gate
        self._ticks = ticks
        self._wait = wait or wait_random_exponential(multiplier=0.5, max=10)
        self._inbox = FileInbox(settings.inbox)
        self._stop = threading.Event()
        self._status = DoorStatus(DoorState.CLOSED)
        self._aside: dict[str, float] = {}
        self._held_by = ""
        self._taker = Taker(
            take,
            channel=rules.channel,
            stop=self._stop,
            hold_seconds=settings.hold_seconds,
            on_holding=self._on_holding,
            gate=gate,
            wait=wait,
        )

    @property
    def channel(self) -> str:
        return self._rules.channel

    @property
    def status(self) -> DoorStatus:
        return self._status

    def stop(self) -> None:
        self._stop.set()

    def run(self) -> None:
        """Take what lies there, wait for the next look, until `stop`."""
        self._status = DoorStatus(DoorState.OPENING)
        try:
            while not self._stop.is_set():
                if self._is_closed() or not self._sweep_patiently():
                    self._stop.wait(self._settings.poll_seconds)
        finally:
            self._status = DoorStatus(DoorState.CLOSED)

    def sweep(self) -> int:
        """Look once and take everything that lies there; how many files were taken or refused.

        Raises OSError when the folder cannot be read or changed, `GivenBack` when nothing can be made durable now.
        """
        settled = 0
        self._aside = {name: due for name, due in self._aside.items() if due > self._ticks()}
        lying = self._inbox.oldest(_PER_SCAN)
        self._status = DoorStatus(DoorState.TAKING, aside=len(self._aside))
        while lying and not self._stop.is_set() and not self._is_closed():
            batch: list[tuple[Lying, Eingang]] = []
            size = 0
            while lying and len(batch) < self._settings.batch and size < self._settings.batch_bytes:
                one = lying.pop(0)
                eingang = self._read(one)
                if isinstance(eingang, Rejected):
                    settled += self._refuse(one, eingang)
                elif eingang is not None:
                    batch.append((one, eingang))
                    size += eingang.body.length
            settled += self._offer(batch)
        return settled

    def _is_closed(self) -> bool:
        """Whether the gate is: then everything stays where it lies."""
        obstacle = self._gate.obstacle(self._rules.mandanten[0])
        if obstacle is None:
            return False
        self._on_holding(obstacle.code)
        return True

    def _sweep_patiently(self) -> int:
        retrying = Retrying(
            retry=retry_if_exception_type((OSError, GivenBack)),
            wait=self._wait,
            stop=stop_any(stop_when_event_set(self._stop), StopWhen(self._is_closed)),
            sleep=sleep_using_event(self._stop),
            after=self._say_holding,
        )
        try:
            settled = retrying(self.sweep)
        except RetryError:
            return 0  # stopped while waiting, or the gate is closed
        self._held_by = ""
        return settled

    def _read(self, lying: Lying) -> Eingang | Rejected | None:
        """The Eingang of a file; why it is refused; or None when it is not ready, or was set aside."""
        if lying.name in self._aside:
            return None
        try:
            return self._eingang(lying)
        except Rejected as refused:
            return refused
        except UnreadableFile as error:
            self._let_wait(lying, error)
            return None
        except SpoolStopped as error:
            raise GivenBack from error

    def _eingang(self, lying: Lying) -> Eingang | None:
        if lying.errno:
            raise UnreadableFile(lying.errno, "cannot be looked at")
        if not lying.is_regular:
            raise Rejected("intake.file.invalid")
        check_size(lying.size, self._rules.max_bytes)
        with self._inbox.opened() as folder:
            try:
                content_type = self._settings.content_type
                angaben = read_sidecar(lying.name, folder, hidden=lying.hidden, content_type=content_type)
                stream = self._inbox.open(lying, folder)
            except FileNotFoundError:
                return None
            except IrregularFile as error:
                raise Rejected("intake.file.invalid") from error
        if stream is None:
            return None
        with stream:
            try:
                body = self._spool.copy(stream, max_bytes=self._rules.max_bytes, should_stop=self._stop.is_set)
            except SpoolTooLarge as error:
                raise Rejected("intake.size.exceeded") from error
            if not is_same(lying, os.fstat(stream.fileno())):
                return None
        return build_eingang(self._rules, angaben, body=body, received_at=self._clock())

    def _offer(self, batch: Sequence[tuple[Lying, Eingang]]) -> int:
        settled = 0
        for verdict in self._taker.offer([eingang for _, eingang in batch]):
            for position in verdict.positions:
                lying = batch[position][0]
                if verdict.refused is not None:
                    settled += self._refuse(lying, verdict.refused)
                elif verdict.aside:
                    self._set_aside(lying)
                else:
                    settled += self._moved(lying, partial(self._inbox.remove, lying))
        return settled

    def _moved(self, lying: Lying, move: Callable[[], object]) -> bool:
        """Do it, or set the file aside when it is only this one that cannot be moved."""
        try:
            move()
        except OSError as error:
            if error.errno not in _OF_ONE_FILE:
                raise
            self._let_wait(lying, error)
            return False
        return True

    def _let_wait(self, lying: Lying, error: OSError) -> None:
        log.warning("folder.file.waits", channel=self.channel, code=errno.errorcode.get(error.errno or 0, "OSError"))
        self._set_aside(lying)

    def _set_aside(self, lying: Lying) -> None:
        self._aside[lying.name] = self._ticks() + self._settings.aside_seconds

    def _refuse(self, lying: Lying, refused: Rejected) -> bool:
        code = CATALOGUE[refused.code]
        moment = self._clock().isoformat(timespec="seconds")
        reason = f"{code.name}\n{moment}\n\n{code.meaning}\n{code.remedy}\n"
        if not self._moved(lying, partial(self._inbox.set_aside, lying, reason)):
            return False
        log.info("folder.refused", channel=self.channel, code=refused.code)
        return True

    def _on_holding(self, code: str) -> None:
        self._status = replace(
            self._status, state=DoorState.HOLDING if code else DoorState.TAKING, code=code, aside=len(self._aside)
        )

    def _say_holding(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        code = type(error).__name__
        if isinstance(error, OSError):
            self._status = replace(self._status, state=DoorState.OPENING, code=code)
        if code != self._held_by:
            self._held_by = code
            log.warning("folder.holding", channel=self.channel, code=code)
