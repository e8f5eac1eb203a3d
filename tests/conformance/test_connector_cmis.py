"""The connector `cmis`: the conformance suite, then every request of a delivery disturbed in every way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear
from intermediary.core.ports import Delivered
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Zustellauftrag
from intermediary.testing.cmis.dms import ROOT, Traits
from intermediary.testing.cmis.node import Node
from intermediary.testing.cmis.server import CmisServer
from intermediary.testing.connectors import (
    CHECKS,
    NOW,
    Check,
    answers_kills_with_faults_only,
    delivers_large_packages,
    make_auftrag,
    survives_kills_with_a_fast_target,
    survives_kills_with_a_slow_target,
    tolerates_a_stopped_rival,
)
from intermediary.testing.faces.mischief import Knob
from tests.conformance.cmis_target import CASE, KEY, CmisTarget, LargePieces, Pieces

# Killed before each of its lines it takes minutes: that is for the soak (tests/soak/test_cmis_kills.py).
SLOW = {
    answers_kills_with_faults_only,
    survives_kills_with_a_fast_target,
    survives_kills_with_a_slow_target,
    tolerates_a_stopped_rival,
}
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "with a folder": {"table": {"case": CASE}},
    "with a shared folder": {"table": {"case": {"name": "{mandant}", "shared": True}}},
    "in pieces": {"pieces": Pieces},
    "on working copies": {"pieces": Pieces, "table": {"versioning": True}, "traits": Traits(updatability="pwconly")},
    "at a server that tells little": {"traits": Traits(unique_names=False, hashes=False, tokens=False)},
}
TROUBLE = ("reset-before", "reset-after", "error-after", "twice")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CmisServer]:
    """A server; each target gives it a DMS of its own."""
    with CmisServer(tmp_path_factory.mktemp("cmis")) as running:
        yield running


@pytest.mark.parametrize("check", [one for one in CHECKS if one not in SLOW], ids=lambda check: check.__name__)
@pytest.mark.parametrize("variant", VARIANTS)
def test_conforms(check: Check, variant: str, server: CmisServer, tmp_path: Path) -> None:
    """The connector keeps the contract of its port, in each of its variants."""
    traits = dict(VARIANTS[variant])
    if check is delivers_large_packages and "pieces" in traits:
        traits["pieces"] = LargePieces
    check(lambda name: CmisTarget(server, tmp_path / name, **traits))


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("variant", ["with a folder", "on working copies"])
def test_one_effect_whichever_request_is_disturbed(
    variant: str, trouble: str, server: CmisServer, tmp_path: Path
) -> None:
    """Whichever request of a delivery meets trouble, recovery makes it one effect."""
    disturb_everywhere(server, tmp_path, trouble, VARIANTS[variant], keeps_steps=True)


def test_a_late_index_makes_no_second_effect(server: CmisServer, tmp_path: Path) -> None:
    """Where queries find nothing yet, what was made is found under its name."""
    target, auftrag = CmisTarget(server, tmp_path / "late", table={"case": CASE}), make_auftrag()
    target.connect().deliver(auftrag, Checkpoints(("case", "document")), NOW)
    target.dms.forget_index()
    target.connect().deliver(replace(auftrag, attempt=2), Checkpoints(("case", "document")), NOW)

    assert target.expects(auftrag) == target.arrived()


def test_after_a_restore_nothing_is_filed_twice(server: CmisServer, tmp_path: Path) -> None:
    """A first attempt without any memory finds what an earlier life has filed, and what a clerk has moved since."""
    target, auftrag = CmisTarget(server, tmp_path / "restored"), make_auftrag()
    first = target.connect().deliver(auftrag, Checkpoints(("case", "document")), NOW)
    target.consume()

    assert first == target.connect().deliver(auftrag, Checkpoints(("case", "document")), NOW)
    assert target.expects(auftrag) == target.arrived()


def test_other_content_is_never_sent_under_a_key_that_was(server: CmisServer, tmp_path: Path) -> None:
    """A changed output stops as `output.changed`, with what was noted and with nothing but the target."""
    target, steps = CmisTarget(server, tmp_path / "changed"), Checkpoints(("case", "document"))
    target.connect().deliver(make_auftrag(data=b"first"), steps, NOW)
    for known in (steps, Checkpoints(("case", "document"))):
        with pytest.raises(Unclear) as raised:
            target.connect().deliver(replace(make_auftrag(data=b"second"), attempt=2), known, NOW)

        assert "output.changed" == raised.value.code
    assert target.expects(make_auftrag(data=b"first")) == target.arrived()


def test_a_foreign_object_of_the_name_is_left_alone(server: CmisServer, tmp_path: Path) -> None:
    """What somebody else has put under our name is never written to; the operator is told which pattern."""
    auftrag = make_auftrag()
    for table, name, where in (
        ({}, auftrag.package.file_name, "document.name"),
        ({"case": CASE}, f"{auftrag.mandant} {auftrag.key}", "case.name"),
    ):
        target = CmisTarget(server, tmp_path / where, table=table)
        target.dms.create_folder(ROOT, {"cmis:name": name}, "jemand")
        with pytest.raises(Misconfigured) as raised:
            target.connect().deliver(auftrag, Checkpoints(("case", "document")), NOW)

        assert ("target.name.taken", where) == (raised.value.code, raised.value.where)
        assert [] == target.arrived()


def test_what_a_clerk_changed_meanwhile_is_not_written_over(server: CmisServer, tmp_path: Path) -> None:
    """An unfinished document that somebody else has touched goes to a person."""
    target, steps = CmisTarget(server, tmp_path / "touched", pieces=Pieces), Checkpoints(("case", "document"))
    auftrag = make_auftrag(data=b"0123456789")
    server.mischief.turn(Knob.parse("reset-before@appendContent=next1"))
    with pytest.raises(Unclear):
        target.connect().deliver(auftrag, steps, NOW)
    (document,) = target.dms.documents()
    target.dms.update(document.id, {"cmis:description": "Anmerkung"}, "sachbearbeitung")
    with pytest.raises(Unclear) as raised:
        target.connect().deliver(replace(auftrag, attempt=2), steps, NOW)

    assert "document: changed by somebody else" == raised.value.where
    assert b"0123" == b"".join(document.content.pieces() if document.content else ())


def test_goes_on_where_it_was_left(server: CmisServer, tmp_path: Path) -> None:
    """After a broken piece only what is missing is sent."""
    target, steps = CmisTarget(server, tmp_path / "rest", pieces=Pieces), Checkpoints(("case", "document"))
    auftrag = make_auftrag(data=b"0123456789abcdef")
    server.mischief.turn(Knob.parse("reset-before@appendContent=next1"))
    with pytest.raises(Unclear):
        target.connect().deliver(auftrag, steps, NOW)
    server.seen.clear()
    target.connect().deliver(replace(auftrag, attempt=2), steps, NOW)
    sent = [one.action for one in server.seen if one.action.endswith("Content")]

    assert ["appendContent"] * 3 == sent
    assert target.expects(auftrag) == target.arrived()


@pytest.mark.parametrize(
    ("variant", "action"),
    [
        ("with a folder", "create_folder"),
        ("with a shared folder", "create_folder"),
        ("with a folder", "create_document"),
        ("in pieces", "create_document"),
        ("in pieces", "set_content"),
        ("in pieces", "append_content"),
        ("on working copies", "check_out"),
        ("on working copies", "append_content"),
    ],
)
def test_an_answer_about_another_object_is_not_believed(
    variant: str, action: str, server: CmisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the server mixes answers up, nothing goes into another's folder or document, and ours is filed once."""
    target, auftrag = CmisTarget(server, tmp_path / "dms", **VARIANTS[variant]), make_auftrag(data=b"0123456789")
    values = {"cmis:objectTypeId": "efa:dokument", "cmis:name": "fremd", KEY: "fremd"}
    foreign = {
        "folder": target.dms.create_folder(ROOT, {"cmis:name": "fremd", "cmis:objectTypeId": "efa:vorgang"}, "jemand"),
        "document": target.dms.create_document(target.done.id, values, None, "jemand"),
    }
    honest, mixed_up = getattr(target.dms, action), []

    def mix_up(*arguments: Any, **named: Any) -> Node:
        node: Node = honest(*arguments, **named)
        if mixed_up:
            return node
        mixed_up.append(node)
        return foreign["folder" if node.is_folder else "document"]

    monkeypatch.setattr(target.dms, action, mix_up)
    steps = Checkpoints(("case", "document"))
    with suppress(Unclear):
        target.connect().deliver(auftrag, steps, NOW)
    again = target.connect().deliver(replace(auftrag, attempt=2), steps, NOW)

    assert isinstance(again, Delivered)
    assert 1 == len(mixed_up)
    assert foreign["document"].content is None
    assert [target.done.id] == [
        one.parent for one in target.dms.documents() if one.series == foreign["document"].series
    ]
    assert [] == target.dms.children(foreign["folder"].id)
    assert target.expects(auftrag) == [one for one in target.arrived() if one.name != "fremd"]


def disturb_everywhere(
    server: CmisServer, folder: Path, trouble: str, variant: Mapping[str, Any], *, keeps_steps: bool
) -> None:
    """Trouble at the first request, the second, and so on."""
    for position in count():
        target, auftrag = CmisTarget(server, folder / f"{position}", **variant), make_auftrag(data=b"0123456789")
        reached = disturbed(target, auftrag, position, trouble, keeps_steps)

        assert target.expects(auftrag) == target.arrived(), f"{trouble} at request {position}"
        if not reached:
            return


def disturbed(target: CmisTarget, auftrag: Zustellauftrag, position: int, trouble: str, keeps_steps: bool) -> bool:
    """Deliver with trouble at the n-th request, then recover as the worker does; whether there was such a request."""
    server, names = target.server, ("case", "document")
    server.mischief.calm()
    server.seen.clear()
    server.mischief.spare(position)
    server.mischief.turn(Knob.parse(f"{trouble}=next1"))
    steps, connector, attempt = Checkpoints(names), target.connect(), 1
    unclear = False
    for _ in range(6):
        try:
            if unclear:
                found = connector.lookup(auftrag.key, steps, NOW)
                unclear = False
                if isinstance(found, Delivered):
                    break
            connector.deliver(replace(auftrag, attempt=attempt), steps, NOW)
            break
        except Unclear:
            unclear = True
        except (Transient, Misconfigured) as fault:
            assert isinstance(fault, Fault)
        attempt += 1
        if not keeps_steps:
            steps = Checkpoints(names)
    else:
        pytest.fail("no end")
    reached = any(one.knobs for one in server.seen)
    server.mischief.calm()
    server.mischief.spare(0)
    assert KEY in target.dms.documents()[0].values
    return reached
