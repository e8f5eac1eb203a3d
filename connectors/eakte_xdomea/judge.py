"""Makes the verdict on a Zustellung from the answers to it, and keeps it: what was once judged never changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from connectors.eakte_xdomea.message import UNSPECIFIED, Answer
from connectors.ordner.notes import note_down, noted
from intermediary.connect.api import Delivered, Refused, Unclear

_MOST_CODES = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """The content of `KEY.import`: what a 0402 said of how many objects, and the hashes of the answers that said it."""

    refused: bool
    codes: str
    objects: int
    failed: int
    objects_sha256: str
    answer_sha256: str
    receipt_sha256: str

    def outcome(self, proof: dict[str, str]) -> Delivered | Refused:
        """The verdict as the port knows it; `proof` is that of the hand-over."""
        proof = {
            **proof,
            "answer": "0402",
            "answer_sha256": self.answer_sha256,
            "objects": str(self.objects),
            "objects_sha256": self.objects_sha256,
        }
        if self.receipt_sha256:
            proof |= {"receipt": "0403", "receipt_sha256": self.receipt_sha256}
        if self.refused:
            return Refused(self.codes, {**proof, "failed": str(self.failed)})
        return Delivered(proof)


def judged(answers: Iterable[Answer]) -> Verdict | None:
    """The verdict of the first import confirmation, or None while there is none.

    Raises `Unclear` when two of them contradict each other: an e-file that says yes and no is not believed either.
    """
    answers = tuple(answers)
    imports = [answer for answer in answers if answer.kind == "0402"]
    if not imports:
        return None
    if len({answer.is_refusal for answer in imports}) > 1:
        raise Unclear("delivery.unclear", where="answers.archive")
    first = imports[0]
    failed = [one for one in first.objects if not one.is_imported]
    codes = sorted({code for one in failed for code in one.codes})[:_MOST_CODES]
    ids = "\n".join(sorted(one.id for one in first.objects))
    return Verdict(
        refused=first.is_refusal,
        codes=",".join(codes) or (UNSPECIFIED if failed else ""),
        objects=len(first.objects),
        failed=len(failed),
        objects_sha256=hashlib.sha256(ids.encode()).hexdigest(),
        answer_sha256=first.sha256,
        receipt_sha256=next((answer.sha256 for answer in answers if answer.kind == "0403"), ""),
    )


def is_answered(answers: Iterable[Answer]) -> bool:
    """Whether an import confirmation is among them."""
    return any(answer.kind == "0402" for answer in answers)


def contradicts(answer: Answer, verdict: Verdict) -> bool:
    """Whether a late import confirmation says the opposite of what was judged."""
    return answer.kind == "0402" and answer.is_refusal != verdict.refused


def read_verdict(state: int, key: str) -> Verdict | None:
    """The verdict kept under this key; raises `Unclear` when the note is damaged."""
    return noted(state, f"{key}.import", Verdict)


def write_verdict(state: int, key: str, verdict: Verdict) -> None:
    """Keep the verdict: durable once the state folder is synced."""
    note_down(state, f"{key}.import", verdict)
