"""Connectors of vendors in lanes: whatever they do, nothing else is harmed, and what is said of a delivery stays true."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from structlog.testing import capture_logs

from intermediary.connect.lane.connector import LaneConnector, LaneFactory
from intermediary.connect.lane.process import LaneLimits
from intermediary.core.faults import Misconfigured, Rejected, Transient, Unclear
from intermediary.core.ports import Delivered, NotDelivered
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Dokument, MemoryContent, Zustellauftrag
from intermediary.store import LeaseLost
from intermediary.testing.connectors import NOW, make_auftrag
from tests.acceptance import lane_vendor as vendor

LIMITS = LaneLimits(deliver_seconds=60, memory_bytes=256 * 1024 * 1024)
DIED, OVERDUE, RAISED = "delivery.lane.died", "delivery.lane.overdue", "delivery.unclear"
ENTRY = EntryPoint("boeswillig", "boeswillig:CONNECTOR", "intermediary.connectors")


@dataclass
class Yard:
    """A vendor's module in a folder of its own, and what its target names."""

    folder: Path
    factory: LaneFactory

    def open(self, name: str = "a", factory: LaneFactory | None = None, **more: object) -> LaneConnector:
        (self.folder / name).mkdir(exist_ok=True)
        table = {"folder": name, "password_file": "password", **more}
        opened: Any = (factory or self.factory).open(table, base=self.folder, where=f"route r, target {name}")
        return opened


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    folder = tmp_path_factory.mktemp("yard")
    code = folder / "site"
    code.mkdir()
    shutil.copy(vendor.__file__, code / "boeswillig.py")
    (code / "endet.py").write_text("import os\nos._exit(3)\n")
    (folder / "password").write_text("geheim\n")
    (folder / "password").chmod(0o600)
    sys.path.insert(0, str(code))
    try:
        yield Yard(folder, LaneFactory(ENTRY, LIMITS))
    finally:
        sys.path.remove(str(code))


@pytest.fixture(scope="module")
def lane(yard: Yard) -> LaneConnector:
    return yard.open()


@pytest.fixture(scope="module")
def neighbour(yard: Yard) -> LaneConnector:
    """Another target of the same vendor: what happens in one lane is nothing to it."""
    return yard.open("neighbour")


def auftrag(deed: str, *documents: bytes, number: int = 1) -> Zustellauftrag:
    files = tuple(Dokument(f"{n}.pdf", "application/pdf", MemoryContent(one)) for n, one in enumerate(documents))
    return replace(make_auftrag(number), target=deed, dokumente=files)


def delivered(connector: LaneConnector, given: Zustellauftrag, steps: Checkpoints | None = None) -> Delivered:
    outcome = connector.deliver(given, steps or Checkpoints(vendor.MANIFEST.steps), NOW)
    assert isinstance(outcome, Delivered)
    return outcome


def again(connector: LaneConnector) -> None:
    """As if its rest were over."""
    connector._rest._until = 0.0


def test_a_delivery_is_the_same_as_without_a_lane(yard: Yard, lane: LaneConnector) -> None:
    """Documents are streamed, steps are committed on our side, secrets are read, the clock is ours."""
    steps = Checkpoints(vendor.MANIFEST.steps, {"case": {"number": "1"}})
    documents = (os.urandom(3_000_000), b"")
    given = auftrag("well", *documents)
    hashes = {str(n): hashlib.sha256(one).hexdigest() for n, one in enumerate(documents, 1)}
    proof = delivered(lane, given, steps).proof

    secret = hashlib.sha256(b"geheim").hexdigest()
    told = {"at": NOW.isoformat(), "secret": secret, "steps": "case document/1 document/2"}
    assert {**hashes, **told} == proof
    assert ["case", "document/1", "document/2"] == list(steps)
    assert {"sha256": hashes["1"]} == steps.get("document/1")
    assert given.package.file_name == (yard.folder / "a" / given.key).read_text()
    assert Delivered({"number": "1"}) == lane.lookup(given.key, steps, NOW)
    assert isinstance(lane.lookup("unknown", steps, NOW), NotDelivered)
    assert Delivered({"a": "b"}) == lane.collect(given.key, {"a": "b"}, NOW)
    lane.probe()


@pytest.mark.parametrize(
    ("deed", "code"),
    [
        *(
            (deed, RAISED)
            for deed in ("fork", "memory", "leave", "interrupt", "stumble", "disguise", "strike", "loosen", "nothing")
        ),
        *((deed, DIED) for deed in ("end", "close", "crash", "forge", "garble")),
        ("unknown_step", RAISED),
    ],
)
def test_a_misdeed_is_unclear_and_harms_nobody(
    yard: Yard, lane: LaneConnector, neighbour: LaneConnector, deed: str, code: str
) -> None:
    """Its delivery is unclear; what it says of people is nowhere; the next one is delivered, here and next door."""
    with capture_logs() as logs, pytest.raises(Unclear) as raised:
        lane.deliver(auftrag(deed), Checkpoints(vendor.MANIFEST.steps), NOW)

    assert code == raised.value.code
    assert vendor.CANARY not in f"{logs}{raised.value}{raised.value.__cause__}"
    assert delivered(neighbour, auftrag("well"))
    again(lane)
    assert delivered(lane, auftrag("well"))


def test_who_does_not_come_to_an_end_is_ended(yard: Yard, neighbour: LaneConnector) -> None:
    """After the time a delivery may take; one that does it again is not started anew before a rest, and nothing is sent."""
    hanging = yard.open("hanging", LaneFactory(ENTRY, replace(LIMITS, deliver_seconds=0.5)))
    for _ in range(2):
        with pytest.raises(Unclear) as raised:
            hanging.deliver(auftrag("hang"), Checkpoints(), NOW)
    with pytest.raises(Transient) as down:
        hanging.deliver(auftrag("well"), Checkpoints(vendor.MANIFEST.steps), NOW)

    assert (OVERDUE, "target.lane.down") == (raised.value.code, down.value.code)
    assert delivered(neighbour, auftrag("well"))


def test_a_look_that_dies_is_asked_again(lane: LaneConnector) -> None:
    """A look has no effect, so nothing is unclear by its death."""
    with pytest.raises(Transient) as raised:
        lane.lookup("end", Checkpoints(vendor.MANIFEST.steps), NOW)
    again(lane)

    assert "target.lane.down" == raised.value.code


def test_what_is_printed_is_counted_and_gone(lane: LaneConnector, capfd: pytest.CaptureFixture[str]) -> None:
    """Our JSON stands alone on stdout, and a log has no content: five megabytes become a number."""
    with capture_logs() as logs:
        assert Delivered({"deed": "shout"}) == delivered(lane, auftrag("shout"))

    [line] = [one for one in logs if one["event"] == "lane.printed"]
    assert 4_500_000 <= line["count"]
    assert vendor.CANARY not in f"{logs}{capfd.readouterr()}"


def test_a_fault_of_the_port_passes_as_it_is(lane: LaneConnector) -> None:
    """Class, code and place; the lane lives on."""
    before = [one.pid for one in lane.lanes()]
    with pytest.raises(Rejected) as raised:
        lane.deliver(auftrag("refused"), Checkpoints(), NOW)

    assert ("target.refused", "x") == (raised.value.code, raised.value.where)
    assert before == [one.pid for one in lane.lanes()]


def test_what_a_connector_finds_in_its_files_is_told(yard: Yard, lane: LaneConnector) -> None:
    """`lint` asks the vendor's `examine` as it asks ours."""
    lane.examine()
    (yard.folder / "a" / "unfit").touch()
    with pytest.raises(Misconfigured) as raised:
        lane.examine()
    (yard.folder / "a" / "unfit").unlink()

    assert "folder: unfit" == raised.value.where


def test_a_lost_lease_ends_the_lane(yard: Yard, lane: LaneConnector) -> None:
    """Somebody else delivers now: whoever was overtaken is stopped at its next step, and not only told."""

    def lost(*_arguments: object) -> None:
        raise LeaseLost("n")

    with pytest.raises(LeaseLost):
        lane.deliver(auftrag("step"), Checkpoints(vendor.MANIFEST.steps, keep=lost), NOW)

    assert not (yard.folder / "a" / "went-on").exists()
    again(lane)
    assert delivered(lane, auftrag("well"))


class Torn(MemoryContent):
    """A document that says it is longer than what can be read of it."""

    @property
    def length(self) -> int:
        return super().length + 1

    def open(self) -> BinaryIO:
        return io.BytesIO(self.read())


def test_half_a_document_is_never_taken_for_all_of_it(lane: LaneConnector) -> None:
    """Where we cannot read it to its end, the connector learns it as an OSError; one it leaves open holds nothing up."""
    torn = replace(auftrag("short"), dokumente=(Dokument("1.pdf", "application/pdf", Torn(b"x" * 100_000)),))
    with pytest.raises(Transient, match="short"):
        lane.deliver(torn, Checkpoints(), NOW)

    assert Delivered({"first": "7"}) == delivered(lane, auftrag("halfread", b"\x07" * 9_000_000))
    assert Delivered({"first": "8"}) == delivered(lane, auftrag("halfread", b"\x08" * 9_000_000))


def test_the_installation_is_out_of_reach(yard: Yard, neighbour: LaneConnector) -> None:
    """No environment, no descriptor but its line, no file of ours but what its settings name; the kernel sees to it."""
    kek = yard.folder / "kek"
    kek.write_text("secret")
    paths = {"kek": kek, "home": Path.home(), "folder": yard.folder, "proc": Path(f"/proc/{os.getpid()}/environ")}
    reachable = {"own": yard.folder / "neighbour", "password": yard.folder / "password", "python": Path(os.__file__)}
    asked = replace(auftrag("peek"), business_keys={k: str(v) for k, v in {**paths, **reachable}.items()})
    delivered(neighbour, auftrag("well"))
    [fences] = {tuple(one.fences.items()) for one in neighbour.lanes()}

    proof = delivered(neighbour, asked).proof
    assert ("", "1") == (proof["env"], proof["open"])
    if not dict(fences)["files"]:
        pytest.skip("this kernel has no Landlock")
    assert "own password python" == proof["readable"]


def test_a_lane_that_died_idle_is_replaced_unseen(lane: LaneConnector) -> None:
    """It had taken nothing: no attempt is lost to it."""
    delivered(lane, auftrag("well"))
    for one in lane.lanes():
        os.kill(one.pid, 9)

    assert delivered(lane, auftrag("well"))


@pytest.mark.parametrize(
    ("value", "hint"),
    [("endet:X", "endet:X ends the process while it is loaded"), ("boeswillig:FEHLT", "raised AttributeError")],
)
def test_what_cannot_be_loaded_is_refused(yard: Yard, value: str, hint: str) -> None:
    """A module that ends the process when it is imported ends a lane; the operator learns which plug-in it is."""
    with pytest.raises(Misconfigured) as raised:
        LaneFactory(EntryPoint("boeswillig", value, "intermediary.connectors"), LIMITS)

    [finding] = raised.value.findings
    assert "plugin.invalid" == finding.code
    assert hint in finding.hint


def test_what_cannot_be_built_is_told_as_without_a_lane(yard: Yard) -> None:
    """Settings with place and hint, exceptions by name; whoever ends the process is tried again after a rest."""
    with pytest.raises(Misconfigured) as settings:
        yard.open("b", ordner="x")
    with pytest.raises(Misconfigured) as raised:
        yard.open("c", trouble="stumble")
    with pytest.raises(Transient) as down:
        yard.open("d", trouble="end")
    with pytest.raises(Transient) as forged:
        yard.open("e", trouble="forge")

    assert {"config.key.unknown"} == {one.code for one in settings.value.findings}
    assert "connector boeswillig raised KeyError while it was built" == raised.value.findings[0].hint
    assert "target.lane.down" == down.value.code == forged.value.code


def test_all_threads_share_the_lanes_of_a_target(yard: Yard, lane: LaneConnector) -> None:
    """And no more than its concurrency are made."""
    assert lane is yard.open()
    assert lane is not yard.open("neighbour")
