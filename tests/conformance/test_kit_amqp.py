"""The conformance kit at the connector `amqp`: a real broker behind a line that spoils publications and confirms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from intermediary.core.ports import Idempotency
from intermediary.testing.kit.amqp_target import Queue
from intermediary.testing.kit.check import check
from intermediary.testing.kit.description import Candidate, candidates
from intermediary.testing.kit.order import order
from intermediary.testing.kit.session import opened
from intermediary.testing.kit.target import Trouble

pytestmark = pytest.mark.soak

LEVELS = {"KIT": Idempotency.NATIVE, "Forgetful": Idempotency.NONE}


def _candidate(kit: str) -> Candidate:
    (found,) = candidates("amqp")
    return Candidate(found.entry, replace(found.description, kit=f"{Queue.__module__}:{kit}", seconds=60))


@pytest.mark.parametrize("kit", LEVELS)
def test_amqp_passes_at_its_level(kit: str) -> None:
    """Every guarantee holds in every trouble; where the reader removes no doubles, a person decides."""
    report = check(_candidate(kit))

    assert LEVELS[kit] == report.manifest.idempotency
    assert [] == [(one.name, one.seen) for one in report.verdicts if one.standing == "broken"]
    assert {"whole", "probe", "loss", "once", "faults", "time", "kills", "memory", "discreet"} <= {
        one.name for one in report.verdicts if one.standing == "holds"
    }


def test_each_trouble_of_the_line_is_another_outcome() -> None:
    """What is spoilt before has not arrived, what is spoilt after has; each outcome is what the broker's word allows."""
    seen: dict[Trouble, tuple[str, str, int]] = {}
    with opened(_candidate("Forgetful")) as session:
        for number, trouble in enumerate(Trouble):
            auftrag = order(number)
            session.target.effects(auftrag.key)
            if session.target.misbehave(trouble):
                made = session.deliver(auftrag, session.worker.steps())
                seen[trouble] = (made.kind, made.code, len(made.effects))
            session.target.misbehave("")

    expected: dict[Trouble, tuple[str, str, int]] = {
        one: ("unclear", "target.no-answer", 1) for one in Trouble if one.endswith("-after")
    }
    expected |= {
        Trouble.BUSY: ("transient", "target.unreachable", 0),
        Trouble.UNAUTHORIZED: ("misconfigured", "target.credentials", 0),
        Trouble.ERROR_BODY: ("misconfigured", "target.unroutable", 0),
        Trouble.BURST: ("unclear", "target.no-answer", 0),
        Trouble.RESET_BEFORE: ("unclear", "target.no-answer", 0),
        Trouble.FOREIGN_ID_AFTER: ("delivered", "", 1),
    }
    assert expected == seen
