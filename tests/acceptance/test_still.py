"""After all work is done nothing is due: no Nachricht is claimed again and again without moving."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.operations.act import Decide, Replay
from intermediary.operations.person import Request
from intermediary.operations.selection import Selection
from intermediary.store.errors import NotPossible
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.samples import NAMESPACE, ROOT, sample_letter
from tests.acceptance.rig import Rig

N, Z = NachrichtState, ZustellungState
WHY = Request(actor="pruefer", reason="Probe")
MOST_CLAIMS = 12


def _target(name: str, *, required: bool) -> str:
    return f"""
[[route.target]]
name = "{name}"
connector = "ordner"
required = {str(required).lower()}
[route.target.settings]
drop = "drop-{name}"
state = ".state-{name}"
[route.target.settings.acknowledgement]
folder = "ack-{name}"
"""


class Two:
    """An installation whose route has a required target `a` and an optional `b`, both acknowledging."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        folder = rig.site.folder
        for name in ("a", "b"):
            for kind in ("drop", ".state", "ack"):
                (folder / f"{kind}-{name}").mkdir(mode=0o700)
        route = (
            '[[route]]\nname = "zwei"\nmandant = "musterstadt"\nstage = "test"\nmapping = "bewohnerparken@1"\n'
            f'[route.when]\nroot = "{{{NAMESPACE}}}{ROOT}"\n[route.settings]\n{golden_settings()}\n'
        )
        text = route + _target("a", required=True) + _target("b", required=False)
        (folder / "routes.toml").write_text(text, encoding="utf-8")
        self.id = rig.submit(sample_letter(1, now=rig.clock()), "a-1")
        self.settle()

    def settle(self) -> None:
        """Work, and fail when the same Nachricht is claimed without end."""
        claims = 0
        while self.rig.worker.work_once():
            claims += 1
            assert claims < MOST_CLAIMS, "the worker spins"

    def answer(self, target: str, kind: str) -> None:
        """The target's acknowledgement for the package it was given."""
        (package,) = (self.rig.site.folder / f"drop-{target}").glob("*.zip")
        ack: Path = self.rig.site.folder / f"ack-{target}" / f"{package.name}.{kind}"
        ack.write_text("E1\n", encoding="utf-8")
        self.rig.clock.advance(timedelta(minutes=6))

    def state(self) -> NachrichtState:
        return self.rig.get(self.id).state

    def of(self, target: str) -> ZustellungState:
        return [z.state for z in self.rig.store.zustellungen(self.id) if z.target == target][-1]


@pytest.fixture
def two(rig: Rig) -> Two:
    """Both packages handed over, no answer yet."""
    return Two(rig)


def test_a_refusal_while_an_optional_target_is_awaited(two):
    """The Nachricht is rejected and answered; the optional target's answer is still collected, without spinning."""
    two.answer("a", "error")
    two.settle()
    assert (N.REJECTED, Z.AWAITING) == (two.state(), two.of("b"))

    two.rig.clock.advance(timedelta(minutes=6))
    two.settle()
    two.answer("b", "ok")
    two.settle()

    assert Z.DELIVERED is two.of("b")


def test_a_redelivery_of_a_rejected_nachricht_is_sent(two):
    """What a person orders after the rejection goes out."""
    two.answer("a", "error")
    two.settle()
    for path in (two.rig.site.folder / "drop-a").iterdir():
        path.unlink()

    list(Replay(two.rig.store, now=two.rig.clock).carry_out(Selection.parse([two.id]), WHY, redeliver="a"))
    two.settle()

    assert (N.REJECTED, Z.AWAITING) == (two.state(), two.of("a"))


def test_an_optional_target_is_served_while_the_quittung_waits(two):
    """A way back that is away holds up neither the optional target nor the worker."""
    two.rig.site.answers.rename(two.rig.site.answers.with_name("weg"))
    two.answer("a", "ok")
    two.answer("b", "ok")
    two.settle()

    assert (N.ANSWERING, Z.DELIVERED) == (two.state(), two.of("b"))


def test_contradicting_answers_past_their_time_ask_a_person(two):
    """Yes and no at once, too late: the Zustellung waits for a person instead of going round in circles."""
    two.answer("a", "ok")
    two.answer("a", "error")
    two.rig.clock.advance(timedelta(hours=73))
    two.settle()

    assert Z.PARKED is two.of("a")


def test_what_may_have_arrived_is_not_rejected_behind_the_targets_back(two):
    """A person cannot tell the sender no while a required target has the application."""
    with pytest.raises(NotPossible, match="a has it"):
        Decide(two.rig.store, now=two.rig.clock).reject(two.id, WHY)

    two.settle()
    assert N.PLANNED is two.state()


@pytest.mark.parametrize("change", [lambda text: text.replace("112-06", "112-07")])
def test_two_targets_never_get_different_bytes(two, change: Callable[[str], str]):
    """When the settings change after one target was served, the other one waits for a person."""
    routes = two.rig.site.folder / "routes.toml"
    text = routes.read_text(encoding="utf-8")
    routes.write_text(text.replace('drop = "drop-b"', 'drop = "drop-missing"'), encoding="utf-8")
    found = two.rig.submit(sample_letter(2, now=two.rig.clock()), "a-2")
    two.settle()
    states = {z.target: z.state for z in two.rig.store.zustellungen(found)}
    assert {"a": Z.AWAITING, "b": Z.DUE} == states

    routes.write_text(change(text), encoding="utf-8")
    two.rig.configuration.bank()
    two.rig.store.wake_misconfigured(two.rig.clock())
    two.settle()

    (b,) = [z for z in two.rig.store.zustellungen(found) if z.target == "b"]
    assert (Z.PARKED, "output.changed") == (b.state, b.code)
