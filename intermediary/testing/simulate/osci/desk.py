"""The supplier's desk: one request in, one answer out, and everything it changes committed in between."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from intermediary.core.faults import Rejected
from intermediary.osci.write import Random, entry, write_fault
from intermediary.testing.simulate.osci.answering import written
from intermediary.testing.simulate.osci.books import Books
from intermediary.testing.simulate.osci.chunks import Chunks, Limits
from intermediary.testing.simulate.osci.dialogs import (
    Client,
    ClientMissing,
    DialogMissing,
    Standing,
    WrongDialog,
    admit,
)
from intermediary.testing.simulate.osci.facts import DialogClosed, Entry, Fact, Troubled
from intermediary.testing.simulate.osci.forwarding import Forwarder, Post
from intermediary.testing.simulate.osci.journal import Journal
from intermediary.testing.simulate.osci.orders import Orders, refused
from intermediary.testing.simulate.osci.outcome import Outcome
from intermediary.testing.simulate.osci.protecting import Own
from intermediary.testing.simulate.osci.reading import Reader, Request, Unreadable, box_of
from intermediary.testing.simulate.osci.reply import Reply
from intermediary.testing.simulate.osci.report import warnings
from intermediary.testing.simulate.osci.trouble import Trouble
from intermediary.unseal.osci.feedback import is_success

_SERVER_CODES = frozenset({"9000", "9503"})

Execute = Callable[[Request, Standing, datetime, Mapping[str, str]], Outcome]


def end_now() -> None:
    """SIGKILL to our own process: nothing is flushed, nothing is said."""
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a desk is given of the outside: time, randomness, the way to passive recipients, its own end."""

    clock: Callable[[], datetime]
    random: Random = field(repr=False)
    post: Post
    wait: Callable[[float], None] = time.sleep
    die: Callable[[], None] = end_now


class Desk:
    """Plays the intermediary for anybody who sends a body. `answer` may be called from many threads.

    What is answered is on disk before; after any kill the next desk over the same journal goes on where this one was.
    """

    def __init__(
        self, journal: Journal, *, reader: Reader, own: Own, trouble: Trouble, limits: Limits, world: World
    ) -> None:
        self._journal = journal
        self._reader = reader
        self._own = own
        self._trouble = trouble
        self._limits = limits
        self._world = world
        self._lock = threading.Lock()
        self._books = Books()
        self._handlers: dict[str, Execute] = {}
        self._recover()
        journal.forget_all_but(self._books.files())

    @property
    def books(self) -> Books:
        """What is true now; for reading only."""
        return self._books

    def answer(self, raw: bytes, *, is_disturbed: bool = True) -> Reply:
        """The answer to one HTTP body. What cannot be read or stands outside of its dialog gets a SOAP fault."""
        at = self._world.clock()
        try:
            request = self._reader.read(raw, at)
            return self._answer(request, at, self._trouble.draw(request.kind) if is_disturbed else {})
        except Unreadable as fault:
            return _fault(fault.code)
        except Rejected:
            return _fault("9100")
        except WrongDialog:
            return _fault("9400")
        except ClientMissing:
            return _fault("9500")

    def forget_dialogs(self) -> int:
        """Ends every dialog without a word, as a restart of a real intermediary may; how many there were."""
        with self._lock:
            found = tuple(self._books.dialogs)
            self._commit(self._world.clock(), tuple(DialogClosed(conversation=one) for one in found))
            return len(found)

    def _answer(self, request: Request, at: datetime, drawn: Mapping[str, str]) -> Reply:
        if drawn:
            with self._lock:
                self._commit(at, tuple(Troubled(knob=knob, kind=request.kind) for knob in drawn))
        if "delay" in drawn:
            self._world.wait(int(drawn["delay"]) / 1000)
        if "die-before" in drawn:
            self._world.die()
        if "drop-before" in drawn:
            return Reply(ending="dropped")
        if "fault" in drawn:
            return _fault(drawn["fault"])
        standing, outcome = self._execute(request, at, drawn)
        if outcome.errand is not None:
            outcome = outcome.errand()
            with self._lock:
                self._commit(self._world.clock(), outcome.facts)
        if "die-after" in drawn:
            self._world.die()
        if "drop-after" in drawn:
            return Reply(ending="dropped")
        body = self._written(_with_warnings(outcome, request, at), request, standing, drawn)
        return Reply(body, "truncated" if "truncate" in drawn else "whole")

    def _execute(self, request: Request, at: datetime, drawn: Mapping[str, str]) -> tuple[Standing, Outcome]:
        with self._lock:
            try:
                standing = self._admitted(request)
            except DialogMissing as missing:
                return missing.standing, refused(request.kind, "9802")
            if request.refusal:  # a request that nobody may have sent like this changes nothing
                return standing, refused(request.kind, request.refusal)
            needed = self._books.messages()
            # The turn first: a request sees its own acknowledgement of the answer before.
            self._books.apply(Entry(at, standing.facts))
            try:
                outcome = self._handlers[request.kind](request, standing, at, drawn)
                self._append(at, standing.facts + outcome.facts)
                self._books.apply(Entry(at, outcome.facts))
            except BaseException:
                self._recover()
                raise
            for name in needed - self._books.messages():
                self._journal.drop(name)
            return standing, outcome

    def _admitted(self, request: Request) -> Standing:
        client = None
        if request.client is not None:
            der = request.certificates["CipherCertificateOriginator"][0]
            client = Client(box_of(request.client), self._journal.keep(der))
        rule = request.order.selection
        fetching = request.kind == "PartialFetchDelivery" and rule is not None and rule.message_ids
        return admit(
            request.kind,
            request.control,
            client=client,
            dialogs=self._books.dialogs,
            random=self._world.random,
            may_be_implicit=request.order.info_only,
            still_fetching=rule.message_ids[0] if rule is not None and fetching else None,
        )

    def _commit(self, at: datetime, facts: tuple[Fact, ...]) -> None:
        self._append(at, facts)
        self._books.apply(Entry(at, facts))

    def _append(self, at: datetime, facts: tuple[Fact, ...]) -> None:
        if facts:
            self._journal.append(Entry(at, facts))

    def _recover(self) -> None:
        self._books = Books()
        for one in self._journal.read():
            self._books.apply(one)
        random, world = self._world.random, self._world
        orders = Orders(self._books, self._journal, random)
        chunks = Chunks(self._books, self._journal, random, orders=orders, reader=self._reader, limits=self._limits)
        forwarder = Forwarder(
            self._journal,
            random,
            orders=orders,
            reader=self._reader,
            own=self._own,
            post=world.post,
            clock=world.clock,
        )
        self._handlers = {
            "InitDialog": orders.dialog,
            "ExitDialog": orders.dialog,
            "GetMessageId": orders.get_message_id,
            "StoreDelivery": orders.store_delivery,
            "FetchDelivery": orders.fetch_delivery,
            "FetchProcessCard": orders.fetch_process_card,
            "PartialStoreDelivery": chunks.partial_store,
            "PartialFetchDelivery": chunks.partial_fetch,
            "ForwardDelivery": forwarder.forward,
            "MediateDelivery": forwarder.mediate,
        }

    def _written(self, outcome: Outcome, request: Request, standing: Standing, drawn: Mapping[str, str]) -> bytes:
        return written(
            outcome,
            request,
            standing,
            client_der=self._journal.fetch(standing.client.file),
            own=self._own,
            limits=self._limits,
            drawn=drawn,
            random=self._world.random,
        )


def _with_warnings(outcome: Outcome, request: Request, at: datetime) -> Outcome:
    """Says of a request that was executed which of its certificates are out of date."""
    if not is_success(outcome.answer.feedback):
        return outcome
    said = (*outcome.answer.feedback, *(entry(code) for code in warnings(request.certificates, at)))
    return replace(outcome, answer=replace(outcome.answer, feedback=said))


def _fault(code: str) -> Reply:
    return Reply(write_fault(code, server=code in _SERVER_CODES))
