"""Where a call meets its operation, and whatever happens becomes an answer. Blocks; called in threads."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from intermediary.core.faults import Fault, Rejected
from intermediary.ingress.doors import DoorRules
from intermediary.store.errors import StoreError
from intermediary.xta.server.allowances import Allowances
from intermediary.xta.server.calls import Answer, Arrived, Call, Result, read_call, write_refusal, write_result
from intermediary.xta.server.clients import Client, let_in
from intermediary.xta.server.fetching import Fetching
from intermediary.xta.server.house import House
from intermediary.xta.server.ids import Ids
from intermediary.xta.server.managing import Managing, Readers
from intermediary.xta.server.refusal import LATER_SECONDS, Later, NoCall, Refused, unfit
from intermediary.xta.server.sending import Held, Sending
from intermediary.xta.wire import operations as known
from intermediary.xta.wire.faults import error
from intermediary.xta.wire.operations import Port

log = structlog.get_logger(__name__)

_LATER = error("9030")


@dataclass(frozen=True, slots=True)
class Naming:
    """How a server is known: `prefix` stands in its MessageIDs and must never change, `identity` in its reports."""

    prefix: str
    identity: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A submission that is durable, whose answer waits for the verdict."""

    held: Held
    arrived: Arrived = field(repr=False)


class Desk:
    """All operations of one channel. `take_up` first; then `judge`, and `answer` until it is no longer None."""

    def __init__(
        self,
        house: House,
        rules: DoorRules,
        readers: Readers,
        naming: Naming,
        allowances: Allowances,
        *,
        sync_services: frozenset[str] = frozenset(),
        on_holding: Callable[[str], None] = lambda _code: None,
    ) -> None:
        self._house = house
        self._channel = rules.channel
        self._on_holding = on_holding
        self._telling = threading.Lock()
        self._held_by = ""
        ids = Ids(naming.prefix, house.marks)
        self._allowances = allowances
        self._sending = Sending(house, ids, readers, rules, allowances, sync_services=sync_services)
        managing = Managing(house, ids, readers, allowances, server=naming.identity)
        fetching = Fetching(house, ids)
        self._operations: Mapping[known.Operation, Callable[[Call], Result]] = {
            known.CHECK_ACCOUNT_ACTIVE: managing.check_account_active,
            known.CREATE_MESSAGE_ID: managing.create_message_id,
            known.LOOKUP_SERVICE: managing.lookup_service,
            known.GET_TRANSPORT_REPORT: managing.get_transport_report,
            known.CANCEL_MESSAGE: managing.cancel_message,
            known.GET_STATUS_LIST: fetching.get_status_list,
            known.GET_NEXT_STATUS_LIST: fetching.get_next_status_list,
            known.GET_MESSAGE: fetching.get_message,
            known.GET_NEXT_MESSAGE: fetching.get_next_message,
            known.CLOSE: fetching.close,
        }

    def let_in(self, certificate: str, port: Port, action: str) -> Client | Answer:
        """The client with this certificate, or the answer that turns it away before anything of it is read."""
        try:
            client = let_in(self._house.partners(), certificate, self._house.clock())
            wait = self._allowances.wait_seconds(client.kennung, port)
            return self.later(action, wait) if wait else client
        except Refused as refused:
            log.info("xta.client.refused", channel=self._channel, reason=refused.number, certificate=certificate)
            return write_refusal(refused.error, None, random=self._house.random, action=action)
        except Exception as failure:
            return self._not_now(failure, None)

    def later(self, action: str = "", seconds: float = LATER_SECONDS) -> Answer:
        """It cannot be done now; says nothing of what was done."""
        return write_refusal(_LATER, None, random=self._house.random, action=action, retry_after=math.ceil(seconds))

    def too_large(self, action: str = "") -> Answer:
        """More than any message of XTA may be."""
        return write_refusal(error("9023"), None, random=self._house.random, action=action)

    def take_up(self, arrived: Arrived) -> Answer | Waiting:
        """Carry out a call; for a submission only as far as it is durable."""
        call: Call | None = None
        try:
            call = read_call(arrived, self._house.spool)
            author = call.envelope.author()
            if author is not None:
                call.client.demand_name(author.identifier)
            if call.operation.port == "send":
                held = self._sending.take_in(call)
                self._hold("")
                return Waiting(held, arrived)
            result = self._operations[call.operation](call)
            return write_result(result, call, random=self._house.random, mtom=arrived.wants_mtom)
        except Exception as failure:
            if isinstance(failure, NoCall | Rejected):
                self._allowances.malformed(arrived.client.kennung, arrived.port)
            return self._failed(failure, call)

    def judge(self, waiting: Waiting) -> None:
        """Judge a submission, if nobody has; logs what goes wrong, for the workers go on with it."""
        try:
            self._sending.judge(waiting.held)
        except Exception as failure:
            code = failure.code if isinstance(failure, Fault) else type(failure).__name__
            log.error("door.judge.failed", channel=self._channel, nachricht_id=waiting.held.nachricht_id, code=code)

    def answer(self, waiting: Waiting) -> Answer | None:
        """The answer to a submission as it stands now; None while somebody is at it."""
        return self._answered(waiting, self._sending.answer)

    def open_answer(self, waiting: Waiting) -> Answer:
        """The answer when there is no more time to wait for the verdict."""
        return self._answered(waiting, self._sending.open_answer) or self.later()

    def _answered(self, waiting: Waiting, ask: Callable[[Held], Result | None]) -> Answer | None:
        call = waiting.held.call
        try:
            result = ask(waiting.held)
        except Exception as failure:
            return self._failed(failure, call)
        if result is None:
            return None
        return write_result(result, call, random=self._house.random, mtom=waiting.arrived.wants_mtom)

    def _failed(self, failure: Exception, call: Call | None) -> Answer:
        """What a failure means for the client; nothing about a defect is for them."""
        random = self._house.random
        if isinstance(failure, Rejected):
            failure = unfit(failure, call.operation if call is not None else None)
        if isinstance(failure, Refused):
            number, operation = failure.number, call.operation if call is not None else None
            log.info(
                "door.refused", channel=self._channel, reason=number, operation=operation.name if operation else ""
            )
            fits = operation is None or failure.error.kind in operation.exceptions
            return write_refusal(failure.error if fits else _LATER, call, random=random)
        if isinstance(failure, NoCall):
            log.info("door.refused", channel=self._channel, reason=failure.code)
            return write_refusal(failure, call, random=random)
        return self._not_now(failure, call)

    def _not_now(self, failure: Exception, call: Call | None) -> Answer:
        is_expected = isinstance(failure, Later | Fault | StoreError | OSError)
        code = failure.code if isinstance(failure, Fault) else type(failure).__name__
        if not is_expected:
            log.error("door.call.failed", channel=self._channel, code=code)
            return write_refusal(_LATER, call, random=self._house.random)
        is_taking = call is None or call.operation.port == "send"
        if isinstance(failure, Fault | OSError) and is_taking:
            self._hold(code)
        elif isinstance(failure, Fault | OSError):  # of one message in a box, most likely: taking goes on
            log.error("door.call.failed", channel=self._channel, code=code)
        wait = failure.seconds if isinstance(failure, Later) else LATER_SECONDS
        return write_refusal(_LATER, call, random=self._house.random, retry_after=math.ceil(wait))

    def _hold(self, code: str) -> None:
        """Nothing can be taken now, or (empty) again: told when it changes, not with every call."""
        with self._telling:
            before, self._held_by = self._held_by, code
        self._on_holding(code)
        if code and code != before:
            log.warning("door.holding", channel=self._channel, code=code)
