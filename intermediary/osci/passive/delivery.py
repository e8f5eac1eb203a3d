"""One delivery, step by step: transport opened, taken, judged, answered (digest §17). Blocks; called in threads."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from intermediary.core.faults import Fault, Rejected
from intermediary.core.values import Content, Eingang
from intermediary.ingress.doors import OSCI_MIME, Angaben, DoorRules, Take, build_eingang
from intermediary.ingress.gate import OPEN, Gate
from intermediary.ingress.https.failures import Failures
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.osci.passive.answer import Answering, can_be_sealed_for
from intermediary.osci.passive.feedback import (
    NO_CIPHER_CERTIFICATE,
    NO_MESSAGE_ID,
    NOT_OSCI,
    UNDECRYPTABLE,
    USED_MESSAGE_ID,
    entry,
    is_fault,
)
from intermediary.osci.passive.reply import UNDECRYPTED, Reply, fault, later
from intermediary.osci.passive.verdict import Open, read_verdict
from intermediary.store.records import NachrichtRecord
from intermediary.unseal.circumstances import NOBODY, Circle, Circumstances
from intermediary.unseal.osci.certificate_feedback import certificate_feedback
from intermediary.unseal.osci.feedback import Entry
from intermediary.unseal.osci.message import NotDelivered, OsciMessage, open_transport
from intermediary.unseal.policy import Policy
from intermediary.unseal.refusal import NotOpened

log = structlog.get_logger(__name__)

_UNOPENED_CONTENT = frozenset({"osci.content.undecryptable"})


@dataclass(frozen=True, slots=True)
class Opening:
    """What one Mandant opens the transport with, and which partners may come through this channel."""

    keyring: Keyring
    policy: Policy
    circle: Circle = NOBODY


@dataclass(frozen=True, slots=True)
class House:
    """What a passive recipient needs of the rest of the house; given by `wiring`, called from several threads.

    `look` reads a Nachricht as it stands; `judge` judges exactly this one if nobody has and nobody is at it, and delivers
    nothing. `gate` is asked before anything is received. `opening` gives a Mandant's keys; `quittung` is the business
    reply to a ProcessDelivery with this message id.
    """

    take: Take
    look: Callable[[str], NachrichtRecord]
    judge: Callable[[str], None]
    opening: Callable[[str], Opening]
    quittung: Callable[[NachrichtRecord, str], bytes]
    spool: Spool
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    gate: Gate = OPEN


@dataclass(frozen=True, slots=True)
class Arrived:
    """One request, complete: `partner` is who sent it, as the connection knows (certificate or address)."""

    mandant: str
    body: Content = field(repr=False)
    partner: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A delivery that is durable here; what is left is its verdict."""

    nachricht_id: str
    mandant: str
    partner: str
    message: OsciMessage = field(repr=False)
    warnings: tuple[Entry, ...] = ()


class Deliveries:
    """The steps for one channel. `take_in` first; then `judge`, and `answer` until it is no longer None."""

    def __init__(
        self,
        house: House,
        rules: DoorRules,
        failures: Failures,
        *,
        on_holding: Callable[[str], None],
    ) -> None:
        self._house = house
        self._rules = rules
        self._failures = failures
        self._on_holding = on_holding
        self._telling = threading.Lock()
        self._held_by = ""

    def is_closed(self, mandant: str) -> bool:
        """Whether nothing of this Mandant can be taken now, so that not even the body is worth receiving."""
        return self._house.gate.obstacle(mandant) is not None

    def take_in(self, arrived: Arrived) -> Held | Reply:
        """Open the transport and make the delivery durable; a Reply where it is refused, or cannot be taken now."""
        wait = self._failures.wait_seconds(arrived.partner)
        if wait:
            return later(wait)
        try:
            return self._take_in(arrived)
        except NotOpened as refusal:
            return self._refused(refusal, arrived)
        except (Fault, OSError) as failure:  # disk, database, keys: whatever heals, it was not taken
            return self._not_now(failure)
        except Exception as failure:  # one delivery's defect must not end the door
            log.error("door.take.failed", channel=self._rules.channel, code=type(failure).__name__)
            return self._not_now(failure)

    def judge(self, held: Held) -> None:
        """Judge it, if nobody has; logs what goes wrong, for the workers go on with it."""
        try:
            self._house.judge(held.nachricht_id)
        except Exception as failure:
            code = failure.code if isinstance(failure, Fault) else type(failure).__name__
            log.error("door.judge.failed", channel=self._rules.channel, nachricht_id=held.nachricht_id, code=code)

    def answer(self, held: Held) -> Reply | None:
        """The answer to a delivery as it stands now; None while somebody is at it."""
        try:
            nachricht = self._house.look(held.nachricht_id)
            verdict = read_verdict(nachricht, self._house.clock())
            if isinstance(verdict, Entry):
                return self._told(held, nachricht, verdict)
        except Fault as failure:
            return self._not_now(failure)
        except Exception as failure:  # as in take_in; nothing about a defect is for the client
            log.error("door.answer.failed", channel=self._rules.channel, code=type(failure).__name__)
            return self._not_now(failure)
        return None if verdict is Open.IN_HAND else later()

    def _take_in(self, arrived: Arrived) -> Held | Reply:
        opening = self._house.opening(arrived.mandant)
        message = open_transport(
            arrived.body,
            keyring=opening.keyring,
            policy=opening.policy,
            at=arrived.at,
            role="passive",
            spool=self._house.spool,
            circle=opening.circle,
        )
        if message.encrypted and not can_be_sealed_for(message):
            return fault(NO_CIPHER_CERTIFICATE)
        errors, warnings = _certificates(message, opening, arrived.at)
        if errors:
            faults = [one for one in errors if is_fault(one.code)]
            return fault(faults[0].code) if faults else self._answering(arrived.mandant).write(message, errors)
        partner = _originator(message) or arrived.partner
        wait = self._failures.wait_seconds(partner)
        if wait:
            return later(wait)
        try:
            eingang = self._eingang(arrived, message)
        except Rejected as refused:
            return self._answering(arrived.mandant).write(message, (_id_fault(message, refused),))
        (taken,) = self._house.take([eingang])
        self._hold("")
        if taken.outcome != "new":
            log.info(
                "door.repeated",
                channel=self._rules.channel,
                nachricht_id=taken.nachricht_id,
                outcome=taken.outcome,
            )
        return Held(taken.nachricht_id, arrived.mandant, partner, message, warnings)

    def _told(self, held: Held, nachricht: NachrichtRecord, verdict: Entry) -> Reply:
        if nachricht.verdict_code in _UNOPENED_CONTENT:
            self._failures.count(held.partner)
        if is_fault(verdict.code):
            return fault(verdict.code)
        is_process = held.message.opened.message_type == "ProcessDelivery"
        business = None
        if is_process and verdict.code != USED_MESSAGE_ID:
            business = self._house.quittung(nachricht, held.message.order.message_id)
        return self._answering(held.mandant).write(held.message, (verdict, *held.warnings), business=business)

    def _refused(self, refusal: NotOpened, arrived: Arrived) -> Reply:
        """What was refused before it was taken: nothing of it stays, the intermediary is told."""
        code = refusal.osci_code or NOT_OSCI
        log.info("door.refused", channel=self._rules.channel, mandant=arrived.mandant, code=refusal.code)
        if refusal.code == "signature.undetermined":  # no fault of the sender: revocation material is missing or old
            return later()
        if code == UNDECRYPTABLE:
            self._failures.count(arrived.partner)
            return UNDECRYPTED
        if is_fault(code) or not isinstance(refusal, NotDelivered):
            return fault(code if is_fault(code) else NOT_OSCI)
        message = refusal.message
        if message.encrypted and not can_be_sealed_for(message):
            return fault(NO_CIPHER_CERTIFICATE)
        was_signed = refusal.code != "osci.transport-signature.missing"
        return self._answering(arrived.mandant).write(message, (entry(code),), signed=was_signed)

    def _eingang(self, arrived: Arrived, message: OsciMessage) -> Eingang:
        """Identity is the sender's id and the content; a ProcessDelivery may go without id (digest §7)."""
        message_id = message.order.message_id
        if not message_id and message.opened.message_type == "ProcessDelivery":
            message_id = f"osci:{message.same_sha256}"
        angaben = Angaben(content_type=OSCI_MIME, message_id=message_id, mandant=arrived.mandant)
        eingang = build_eingang(self._rules, angaben, body=arrived.body, received_at=arrived.at)
        return replace(eingang, same_sha256=message.same_sha256)

    def _answering(self, mandant: str) -> Answering:
        ring = self._house.opening(mandant).keyring
        own = ring.certificates()
        return Answering(ring.signature_key(), own[0] if own else None, self._house.random)

    def _not_now(self, failure: Exception) -> Reply:
        self._hold(failure.code if isinstance(failure, Fault) else type(failure).__name__)
        return later()

    def _hold(self, code: str) -> None:
        """Nothing can be taken now, or (empty) again: told when it changes, not with every delivery."""
        with self._telling:
            before, self._held_by = self._held_by, code
        self._on_holding(code)
        if code and code != before:
            log.warning("door.holding", channel=self._rules.channel, code=code)


def _certificates(message: OsciMessage, opening: Opening, at: datetime) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Errors and warnings about the certificates of a request; errors only where the keyring demands trust."""
    circumstances = Circumstances(opening.keyring, opening.policy, at, opening.circle)
    codes = certificate_feedback(message.certificates, circumstances, client="Intermediary")
    is_strict = "trusted" in opening.keyring.require
    errors = tuple(entry(code) for code in codes if code.startswith("9") and is_strict)
    return errors, tuple(entry(code) for code in codes if code.startswith("3"))


def _originator(message: OsciMessage) -> str:
    """Who sent it to the intermediary, as one that is trusted tells; empty when nobody vouches for that."""
    known = message.certificates.get("CipherCertificateOriginator", ())
    is_vouched = any(
        fact.layer == "transport" and fact.valid and (fact.trusted or fact.partner)
        for fact in message.opened.signatures
    )
    return hashlib.sha256(known[0]).hexdigest() if known and is_vouched else ""


def _id_fault(message: OsciMessage, refused: Rejected) -> Entry:
    return entry(USED_MESSAGE_ID if message.order.message_id else NO_MESSAGE_ID, refused.code)
