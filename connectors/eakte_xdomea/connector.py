"""Hands xdomea packages to an e-file and learns from its answers what became of them.

The hand-over is that of another connector (`ordner`, or what `handover.py` composes): exactly as often as that one promises.
What comes back are xdomea messages: 0403 (received) keeps a Zustellung awaiting, 0402 (imported or not) ends it. They are
fetched into a folder where they do not arrive there by themselves (`inlet.py`), matched by ProzessID (`register.py`), filed
(`filing.py`), read as hostile XML (`message.py`) and judged once (`judge.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from connectors.eakte_xdomea.asked import Question, question_of
from connectors.eakte_xdomea.filing import Boxes, file_answers, file_asked, filed
from connectors.eakte_xdomea.handover import handover_of
from connectors.eakte_xdomea.inlet import Inlet, inlet_of
from connectors.eakte_xdomea.judge import Verdict, is_answered, judged, read_verdict, write_verdict
from connectors.eakte_xdomea.probe import probe_answers
from connectors.eakte_xdomea.register import demand_key, enrol, has_left, keys_of, prozess_id_of
from connectors.eakte_xdomea.settings import Answers, EakteOrdnerSettings, EakteSettings
from connectors.ordner.connector import Ordner, OrdnerSettings
from connectors.ordner.folder import opened, sync
from connectors.ordner.lock import alone
from connectors.ordner.memory import read_sealed
from intermediary.connect.api import (
    Awaiting,
    Connector,
    Delivered,
    Idempotency,
    Manifest,
    Misconfigured,
    NotDelivered,
    Refused,
    Steps,
    Transient,
    Unclear,
    Zustellauftrag,
)

ORDNER_MANIFEST = Manifest(
    name="eakte_ordner",
    idempotency=Idempotency.LOOKUP,
    summary="puts xdomea packages into an e-file's import folder; its 0402 is the verdict, its 0403 a receipt",
    concurrency=16,
)
MANIFEST = Manifest(
    name="eakte_xdomea",
    idempotency=Idempotency.NONE,
    summary="xdomea to an e-file by sftp, rest, soap or amqp, as idempotent as that; 0402 is the verdict",
    concurrency=16,
)

_MOST_ANSWERS_AT_ONCE = 500


class Eakte:
    """The connector of one e-file; several processes may use the same folders.

    Answers come into the folder by themselves or by `inlet`; with a `question` the target is asked for each.
    """

    def __init__(
        self,
        manifest: Manifest,
        handover: Connector,
        state: Path,
        answers: Answers,
        *,
        drop: tuple[Path, ...] = (),
        inlet: Inlet | None = None,
        question: Question | None = None,
    ) -> None:
        self.manifest = manifest
        self._drop = drop
        self._handover = handover
        self._state = state
        self._answers = answers
        self._inlet = inlet
        self._question = question

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Awaiting:
        demand_key(auftrag.key)
        self._enrol(prozess_id_of(auftrag.package.file_name), auftrag.key, now)
        handed = self._handover.deliver(auftrag, steps, now)
        try:
            return self._awaiting(auftrag.key, handed)
        except (Transient, Misconfigured) as fault:  # it has been handed over
            raise Unclear("delivery.unclear", where="state") from fault

    def lookup(self, key: str, steps: Steps, now: datetime) -> Awaiting | NotDelivered:
        handed = self._handover.lookup(key, steps, now)
        if isinstance(handed, NotDelivered):
            return handed
        awaiting = self._awaiting(key, handed)
        with self._boxes() as boxes:
            if read_verdict(boxes.state, key) is None:
                self._judged(boxes, key, prozess_id_of(awaiting.correlation["file_name"]))  # unclear stays unclear
        return awaiting

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered | Refused | None:
        demand_key(key)
        prozess_id = prozess_id_of(correlation["file_name"])
        with self._boxes() as boxes, alone(boxes.state, key):
            verdict = read_verdict(boxes.state, key)
            if verdict is None:
                self._file_unless_somebody_does(boxes, now)
                self._ask(boxes, key, prozess_id, correlation, now)
                verdict = self._judged(boxes, key, prozess_id)
                if verdict is None:
                    return None
                write_verdict(boxes.state, key, verdict)
            sync(boxes.state, "state")
        return verdict.outcome(dict(correlation))

    def probe(self) -> None:
        answers = self._answers
        self._handover.probe()
        probe_answers(answers.folder, answers.archive, answers.unmatched, beside=(self._state, *self._drop))
        for way in (self._inlet, self._question):
            if way is not None:
                way.probe()

    def _enrol(self, prozess_id: str, key: str, now: datetime) -> None:
        """Note the key before its package can be seen. What a redelivery finds answered belongs to those before it."""
        with self._boxes() as boxes, alone(boxes.state, f"{prozess_id}.prozess"):
            others = set(keys_of(boxes.state, prozess_id)) - {key}
            if others and not has_left(boxes.state, key):
                with _filing(boxes):
                    self._fetch(boxes, now)
                    file_answers(boxes, now)
            enrol(boxes.state, prozess_id, key)

    def _awaiting(self, key: str, handed: Delivered | Awaiting) -> Awaiting:
        with opened(self._state, "state") as state:
            sealed = read_sealed(state, key)
        if sealed is None:
            raise Unclear("delivery.unclear", where="state")
        proof = handed.proof if isinstance(handed, Delivered) else handed.correlation
        until = sealed.sealed_at + timedelta(hours=self._answers.deadline_hours)
        return Awaiting(until, {**proof, **sealed.proof()})

    def _fetch(self, boxes: Boxes, now: datetime) -> None:
        if self._inlet is not None:
            self._inlet.fetch(boxes.answers, now)

    def _file_unless_somebody_does(self, boxes: Boxes, now: datetime) -> None:
        try:
            with _filing(boxes):
                self._fetch(boxes, now)
                file_answers(boxes, now, most=_MOST_ANSWERS_AT_ONCE)
        except Transient as fault:
            if fault.code != "target.busy":
                raise

    def _ask(self, boxes: Boxes, key: str, prozess_id: str, correlation: Mapping[str, str], now: datetime) -> None:
        said = self._question.answer(key, correlation, now) if self._question is not None else b""
        if said:
            file_asked(boxes, key, prozess_id, said)

    def _judged(self, boxes: Boxes, key: str, prozess_id: str) -> Verdict | None:
        """The verdict for this key; `Unclear` when the answer may as well be meant for one before it."""
        verdict = judged(filed(boxes.archive, key))
        if verdict is None or self._question is not None:  # who was asked has said whom it is meant for
            return verdict
        keys = keys_of(boxes.state, prozess_id)
        before = keys[: keys.index(key)] if key in keys else ()
        for other in before:
            if has_left(boxes.state, other) and not is_answered(filed(boxes.archive, other)):
                raise Unclear("delivery.unclear", where="answers.archive")
        return verdict

    @contextmanager
    def _boxes(self) -> Iterator[Boxes]:
        answers = self._answers
        with ExitStack() as stack:
            yield Boxes(
                state=stack.enter_context(opened(self._state, "state")),
                answers=stack.enter_context(opened(answers.folder, "answers.folder")),
                archive=stack.enter_context(opened(answers.archive, "answers.archive")),
                unmatched=stack.enter_context(opened(answers.unmatched, "answers.unmatched")),
            )


class EakteOrdner(Eakte):
    """The connector of one e-file with an import folder."""

    def __init__(self, settings: EakteOrdnerSettings) -> None:
        ordner = Ordner(OrdnerSettings(settings.drop, settings.state, settings.checksum))
        super().__init__(ORDNER_MANIFEST, ordner, settings.state, settings.answers, drop=(settings.drop,))
        self.tidy = ordner.tidy


class EakteXdomea(Eakte):
    """The connector of one e-file behind the transport of another connector; what that one promises, this one does."""

    def __init__(self, settings: EakteSettings) -> None:
        handover = handover_of(settings)
        offers = handover.manifest
        manifest = replace(
            MANIFEST,
            idempotency=offers.idempotency,
            steps=offers.steps,
            max_document_bytes=offers.max_document_bytes,
            concurrency=offers.concurrency,
        )
        super().__init__(
            manifest,
            handover,
            settings.state,
            settings.answers,
            inlet=inlet_of(settings),
            question=question_of(settings),
        )
        self._noted = handover

    def examine(self) -> None:
        """The files that the transport's settings name can be used; offline."""
        self._noted.examine()


def _filing(boxes: Boxes) -> AbstractContextManager[None]:
    return alone(boxes.state, "answers")


class _OrdnerFactory:
    """Builds one connector per target."""

    manifest: Manifest = ORDNER_MANIFEST
    settings_type: type = EakteOrdnerSettings

    def build(self, settings: EakteOrdnerSettings, base: Path) -> EakteOrdner:
        return EakteOrdner(settings)


class _Factory:
    """The same, over the transport that its settings name."""

    manifest: Manifest = MANIFEST
    settings_type: type = EakteSettings

    def build(self, settings: EakteSettings, base: Path) -> EakteXdomea:
        return EakteXdomea(settings)


EAKTE_ORDNER = _OrdnerFactory()
CONNECTOR = _Factory()
