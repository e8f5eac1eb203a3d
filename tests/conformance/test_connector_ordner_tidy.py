"""What attempts that died left readable in the state folder of a folder target is removed, and nothing that counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.eakte_xdomea import register
from connectors.ordner.connector import Ordner
from connectors.ordner.folder import opened
from connectors.ordner.lock import alone
from intermediary.connect.api import Delivered, NotDelivered, Zustellauftrag
from intermediary.core.faults import Fault, Misconfigured
from intermediary.core.steps import Checkpoints
from intermediary.testing.connectors import NOW, make_auftrag
from tests.conformance.ordner_target import OrdnerTarget

CANARY = b"Kanarienvogel, Canarystrasse 8"


class Died(BaseException):
    """The process is gone: nothing after this is done, no clean-up either."""


@pytest.fixture(params=[False, True], ids=["plain", "checksum"])
def target(tmp_path: Path, request: pytest.FixtureRequest) -> OrdnerTarget:
    return OrdnerTarget(tmp_path, checksum=request.param)


def _dies(target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch, before: str) -> Zustellauftrag:
    """An attempt whose process dies before this step, leaving what it has written."""
    auftrag = make_auftrag(data=CANARY)

    def died(*_asked: object, **_named: object) -> None:
        raise Died

    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(f"connectors.ordner.{before}", died)
        target.connect().deliver(auftrag, Checkpoints(), NOW)
    assert [path for path in target.kept() if CANARY in path.read_bytes()]
    return auftrag


@pytest.mark.parametrize("before", ["connector.write_sealed", "connector.hand_over"])
def test_nothing_readable_rests_and_the_delivery_begins_anew(
    target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    """Before the seal and after it: both have sent nothing, and the next attempt delivers once."""
    auftrag = _dies(target, monkeypatch, before)
    connector = target.connect()

    assert 1 == _tidy(connector)
    assert [] == target.kept()
    assert isinstance(connector.lookup(auftrag.key, Checkpoints(), NOW), NotDelivered)
    assert isinstance(connector.deliver(auftrag, Checkpoints(), NOW), Delivered)
    assert CANARY == (target.drop / auftrag.package.file_name).read_bytes()
    assert 0 == _tidy(connector)


def test_what_is_underway_is_left_alone(target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process works under the key: its files are its own."""
    auftrag = _dies(target, monkeypatch, "connector.hand_over")
    with opened(target.state, "state") as state, alone(state, auftrag.key):
        before = sorted(target.kept())
        assert 0 == _tidy(target.connect())

    assert before == sorted(target.kept())


def test_what_went_in_part_stays_for_the_attempt_that_completes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checksum is out already: taking the package back would let it be sent twice."""
    target = OrdnerTarget(tmp_path, checksum=True)
    auftrag = make_auftrag(data=CANARY)

    def died(place: object, ready: str, name: str, **how: bool) -> None:
        if ready.endswith(".sum.ready"):
            return renamed(place, ready, name, **how)
        raise Died

    from connectors.ordner import handover

    renamed = handover._rename
    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(handover, "_rename", died)
        target.connect().deliver(auftrag, Checkpoints(), NOW)
    before = sorted(target.kept())

    assert 0 == _tidy(target.connect())
    assert before == sorted(target.kept())
    assert isinstance(target.connect().deliver(auftrag, Checkpoints(), NOW), Delivered)
    assert CANARY == (target.drop / auftrag.package.file_name).read_bytes()


def test_what_was_delivered_stays_remembered(target: OrdnerTarget) -> None:
    """The memory against a second delivery is nothing readable, and is not touched."""
    auftrag = make_auftrag(data=CANARY)
    target.connect().deliver(auftrag, Checkpoints(), NOW)
    before = sorted(target.kept())

    assert 0 == _tidy(target.connect())
    assert before == sorted(target.kept())


def test_one_damaged_note_keeps_no_other_from_being_tidied(
    target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seal that cannot be read is for a person; its files stay."""
    auftrag = _dies(target, monkeypatch, "connector.hand_over")
    (target.state / "0-damaged.ready").write_bytes(CANARY)
    (target.state / "0-damaged.sealed").write_bytes(b"{")

    assert 1 == _tidy(target.connect())
    assert {"0-damaged.ready", "0-damaged.sealed"} == {path.name for path in target.kept()}
    assert auftrag.key not in "".join(path.name for path in target.kept())


def test_what_is_removed_while_somebody_looks_has_not_left(
    target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An e-file's answer is given to what has left; who asks that of another key holds no lock of it."""
    auftrag = _dies(target, monkeypatch, "connector.hand_over")
    looked = register.left

    def tidied_first(*asked: object) -> tuple[str, ...]:
        _tidy(target.connect())
        return looked(*asked)

    monkeypatch.setattr(register, "left", tidied_first)
    with opened(target.state, "state") as state:
        assert not register.has_left(state, auftrag.key)


def test_a_missing_folder_is_a_fault(target: OrdnerTarget) -> None:
    """Whoever asked is told, and asks again."""
    target.state.rmdir()
    with pytest.raises(Misconfigured) as raised:
        _tidy(target.connect())

    assert isinstance(raised.value, Fault)


def _tidy(connector: object) -> int:
    assert isinstance(connector, Ordner)
    return connector.tidy()
