"""The connector `ordner`: the conformance suite, then what is its own: full disks, taken names, changed output."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from connectors.ordner import folder as folder_module
from connectors.ordner import handover, rename
from connectors.ordner.connector import CONNECTOR, MANIFEST, Ordner
from intermediary.connect.settings import describe_settings
from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear
from intermediary.core.ports import Delivered, NotDelivered
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Dokument, MemoryContent
from intermediary.testing.connectors import CHECKS, NOW, Check, code_of, make_auftrag, recover
from intermediary.testing.crashes import kill_at
from tests.conformance.ordner_target import OrdnerTarget

CANARY = b"CANARY-Erika-Musterfrau"


VARIANTS = {
    "plain": {},
    "with checksum": {"checksum": True},
    "with acknowledgement": {"deadline_hours": 24},
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("variant", VARIANTS)
def test_conforms(check: Check, variant: str, tmp_path: Path) -> None:
    """The connector keeps the contract of its port, in each of its variants."""
    check(lambda name: OrdnerTarget(tmp_path / name, **VARIANTS[variant]))


@pytest.fixture
def target(tmp_path: Path) -> OrdnerTarget:
    return OrdnerTarget(tmp_path / "plain")


def test_proof_names_file_hash_and_length(target: OrdnerTarget) -> None:
    """The proof of a delivery is file name, SHA-256 and length of the package."""
    auftrag = make_auftrag(data=b"12345")
    expected = {
        "file_name": auftrag.package.file_name,
        "sha256": hashlib.sha256(b"12345").hexdigest(),
        "length": "5",
    }

    assert Delivered(expected) == target.connect().deliver(auftrag, Checkpoints(), NOW)


def test_files_are_for_the_group_and_notes_are_private(target: OrdnerTarget) -> None:
    """The package may be read by the target's group, the notes about it by nobody else, whatever the umask is."""
    old = os.umask(0)
    try:
        target.connect().deliver(make_auftrag(), Checkpoints(), NOW)
    finally:
        os.umask(old)
    modes = {path.suffix: oct(path.stat().st_mode & 0o777) for path in [*target.drop.iterdir(), *target.kept()]}

    assert {".zip": "0o640", ".sealed": "0o600"} == modes
    assert 0o600 == (target.state / "keys.lock").stat().st_mode & 0o777


def test_state_folder_keeps_only_the_seal(target: OrdnerTarget) -> None:
    """After a delivery nothing readable is left in the state folder, and what holds the locks is empty."""
    auftrag = make_auftrag(data=CANARY)
    target.connect().deliver(auftrag, Checkpoints(), NOW)

    assert [f"{auftrag.key}.sealed"] == [path.name for path in target.kept()]
    assert CANARY not in (target.state / f"{auftrag.key}.sealed").read_bytes()
    assert 0 == (target.state / "keys.lock").stat().st_size


def test_taken_name_is_never_overwritten(target: OrdnerTarget) -> None:
    """A file of the same name that nobody has consumed yet makes the delivery wait; nothing is prepared for it."""
    auftrag = make_auftrag()
    occupied = target.drop / auftrag.package.file_name
    occupied.write_bytes(b"older")
    with pytest.raises(Transient) as raised:
        target.connect().deliver(auftrag, Checkpoints(), NOW)

    assert "target.full" == raised.value.code
    assert b"older" == occupied.read_bytes()
    assert [] == list(target.kept())
    occupied.unlink()
    assert isinstance(target.connect().deliver(auftrag, Checkpoints(), NOW), Delivered)


@pytest.mark.parametrize("has_renameat2", [True, False])
def test_name_taken_at_the_last_moment_is_not_overwritten(
    target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch, has_renameat2: bool
) -> None:
    """A name taken between the look and the rename is not overwritten; nothing rests, and the package goes out later."""
    auftrag = make_auftrag()
    occupied = target.drop / auftrag.package.file_name
    if not has_renameat2:
        monkeypatch.setattr(rename, "_renameat2", None)
    with monkeypatch.context() as patch:
        patch.setattr(handover, "rename_new", _after(lambda: occupied.write_bytes(b"foreign"), rename.rename_new))
        with pytest.raises(Transient) as raised:
            target.connect().deliver(auftrag, Checkpoints(), NOW)

    assert "target.full" == raised.value.code
    assert b"foreign" == occupied.read_bytes()
    assert [] == list(target.kept())
    assert isinstance(target.connect().lookup(auftrag.key, Checkpoints(), NOW), NotDelivered)
    occupied.unlink()
    assert isinstance(target.connect().deliver(auftrag, Checkpoints(), NOW), Delivered)
    assert target.expects(auftrag) == target.arrived()


def test_changed_output_replaces_what_is_provably_unsent(target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other bytes under a sealed key go out instead, as long as nothing of the first has left the state folder."""
    first = make_auftrag(data=b"first")
    with monkeypatch.context() as patch:
        patch.setattr(handover, "rename_new", _crash)
        with pytest.raises(KeyboardInterrupt):
            target.connect().deliver(first, Checkpoints(), NOW)
    assert (target.state / f"{first.key}.sealed").exists()
    second = make_auftrag(data=b"second")
    target.connect().deliver(second, Checkpoints(), NOW)

    assert target.expects(second) == target.arrived()


def test_changed_output_of_a_sent_key_is_unclear(target: OrdnerTarget) -> None:
    """Other bytes under a key that was sent are never sent: the first bytes stay the only effect."""
    first = make_auftrag(data=b"first")
    target.connect().deliver(first, Checkpoints(), NOW)
    target.consume()
    with pytest.raises(Unclear) as raised:
        target.connect().deliver(make_auftrag(data=b"second"), Checkpoints(), NOW)

    assert "output.changed" == raised.value.code
    assert target.expects(first) == target.arrived()


def test_changed_output_after_the_checksum_left_is_unclear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the checksum is out and the package is not, other bytes cannot replace them."""
    target = OrdnerTarget(tmp_path / "sum", checksum=True)
    first = make_auftrag(data=b"first")
    with monkeypatch.context() as patch:
        patch.setattr(handover, "rename_new", _only_first(rename.rename_new, errno.ENOSPC))
        with pytest.raises(Transient):
            target.connect().deliver(first, Checkpoints(), NOW)
    with pytest.raises(Unclear) as raised:
        target.connect().deliver(make_auftrag(data=b"second"), Checkpoints(), NOW)
    target.connect().deliver(first, Checkpoints(), NOW)

    assert "output.changed" == raised.value.code
    assert sorted(target.expects(first)) == sorted(target.arrived())


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("number", [errno.EEXIST, errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EXDEV])
def test_what_provably_stayed_does_not_rest_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, variant: str
) -> None:
    """A package that could not be handed over leaves nothing between two attempts; the next one makes it anew."""
    target, auftrag = OrdnerTarget(tmp_path / "stayed", **VARIANTS[variant]), make_auftrag(data=CANARY)
    with monkeypatch.context() as patch:
        patch.setattr(handover, "rename_new", _raising(number))
        with pytest.raises((Transient, Misconfigured)):
            target.connect().deliver(auftrag, Checkpoints(), NOW)

    assert [] == [*target.drop.iterdir(), *target.kept()]
    assert isinstance(target.connect().lookup(auftrag.key, Checkpoints(), NOW), NotDelivered)
    target.connect().deliver(auftrag, Checkpoints(), NOW)
    assert sorted(target.expects(auftrag)) == sorted(target.arrived())


def test_what_a_crash_sealed_does_not_rest_readable_when_its_name_is_taken(tmp_path: Path) -> None:
    """A sealed package of an earlier process meets a taken name: nothing of it goes out, nothing rests."""
    target, auftrag = OrdnerTarget(tmp_path / "sealed", checksum=True), make_auftrag(data=CANARY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handover, "rename_new", _crash)
        with pytest.raises(KeyboardInterrupt):
            target.connect().deliver(auftrag, Checkpoints(), NOW)
    (target.drop / auftrag.package.file_name).write_bytes(b"older")
    with pytest.raises(Transient) as raised:
        target.connect().deliver(auftrag, Checkpoints(), NOW)

    assert "target.full" == raised.value.code
    assert [] == list(target.kept())
    assert [auftrag.package.file_name] == [path.name for path in target.drop.iterdir()]


def test_a_seal_whose_checksum_left_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the checksum is out, the seal stays: the next attempt sends the package and no second checksum."""
    target, auftrag = OrdnerTarget(tmp_path / "kept", checksum=True), make_auftrag()
    with monkeypatch.context() as patch:
        patch.setattr(handover, "rename_new", _only_first(rename.rename_new, errno.ENOSPC))
        with pytest.raises(Transient):
            target.connect().deliver(auftrag, Checkpoints(), NOW)
    target.consume()

    assert {f"{auftrag.key}.sealed", f"{auftrag.key}.ready"} == {path.name for path in target.kept()}
    target.connect().deliver(auftrag, Checkpoints(), NOW)
    assert sorted(target.expects(auftrag)) == sorted(target.arrived())


@pytest.mark.parametrize("is_fast", [True, False], ids=["fast", "slow"])
@pytest.mark.parametrize(("variant", "fails_at"), [("plain", 1), ("with checksum", 1), ("with checksum", 2)])
def test_kills_while_taking_back_leave_one_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: str, fails_at: int, is_fast: bool
) -> None:
    """Killed before any line of an attempt that cannot be handed over, twice: exactly one effect once it can be."""
    auftrag = make_auftrag()
    for step in count(1):
        target = OrdnerTarget(tmp_path / str(step), **VARIANTS[variant])
        code = code_of(target.connect())
        meanwhile = target.consume if is_fast else _nothing
        attempt = partial(target.connect().deliver, auftrag, NOW)
        with monkeypatch.context() as patch:
            patch.setattr(handover, "rename_new", _failing_at(fails_at, rename.rename_new, errno.ENOSPC))
            struck = kill_at(step, attempt, code=code, meanwhile=meanwhile)
            kill_at(step, partial(recover, target.connect(), auftrag), code=code, meanwhile=meanwhile)
        recover(target.connect(), auftrag)
        target.consume()

        assert sorted(target.expects(auftrag)) == sorted(target.arrived()), f"killed at step {step}"
        if not struck:
            return


def test_a_seal_that_cannot_be_written_leaves_nothing_readable(
    target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full when the seal is written: the package does not rest readable beside it."""
    with monkeypatch.context() as patch:
        patch.setattr(folder_module.os, "rename", _raising(errno.ENOSPC))
        with pytest.raises(Transient):
            target.connect().deliver(make_auftrag(data=CANARY), Checkpoints(), NOW)

    assert [] == list(target.kept())


def test_an_old_checksum_is_replaced(tmp_path: Path) -> None:
    """A consumer that leaves checksums lying blocks no redelivery: ours takes the old one's place."""
    target = OrdnerTarget(tmp_path / "old", checksum=True)
    first = make_auftrag(data=b"first")
    target.connect().deliver(first, Checkpoints(), NOW)
    (target.drop / first.package.file_name).unlink()
    again = replace(make_auftrag(2, data=b"second"), package=make_auftrag(data=b"second").package)
    target.connect().deliver(again, Checkpoints(), NOW)

    assert sorted(target.expects(again)) == sorted(target.arrived())


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: os.symlink("nowhere", path)])
def test_only_a_file_is_replaced_by_a_checksum(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """What is no regular file under the checksum's name is left alone; the delivery waits."""
    target, auftrag = OrdnerTarget(tmp_path / "odd", checksum=True), make_auftrag()
    odd = target.drop / f"{auftrag.package.file_name}.sha256"
    make(odd)
    with pytest.raises(Transient) as raised:
        target.connect().deliver(auftrag, Checkpoints(), NOW)

    assert "target.full" == raised.value.code
    assert [odd] == list(target.drop.iterdir())
    assert [] == list(target.kept())


def test_each_package_lies_beside_its_own_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another key replaced the checksum while ours was interrupted: ours puts its own back before its package."""
    target = OrdnerTarget(tmp_path / "pairs", checksum=True)
    first = make_auftrag(data=b"first")
    with monkeypatch.context() as patch:
        patch.setattr(handover, "rename_new", _only_first(rename.rename_new, errno.ENOSPC))
        with pytest.raises(Transient):
            target.connect().deliver(first, Checkpoints(), NOW)
    other = replace(make_auftrag(2, data=b"second"), package=make_auftrag(data=b"second").package)
    target.connect().deliver(other, Checkpoints(), NOW)
    (target.drop / other.package.file_name).unlink()
    target.connect().deliver(first, Checkpoints(), NOW)

    assert sorted(target.expects(first)) == sorted(target.arrived())


@pytest.mark.parametrize("call", ["write", "fsync", "open", "rename"])
@pytest.mark.parametrize("number", range(1, 9))
def test_full_disk_never_shows_a_truncated_file(
    target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    """No space at the n-th call of any kind: the drop holds the whole package or nothing, and it heals by itself."""
    auftrag = make_auftrag(data=b"x" * 3_000_000)
    whole = target.expects(auftrag)
    with monkeypatch.context() as patch:
        patch.setattr(folder_module.os, call, _failing_at(number, getattr(os, call), errno.ENOSPC))
        with suppress(Transient, Unclear):
            target.connect().deliver(auftrag, Checkpoints(), NOW)
        assert target.arrived() in ([], whole)
    if isinstance(target.connect().lookup(auftrag.key, Checkpoints(), NOW), NotDelivered):
        target.connect().deliver(auftrag, Checkpoints(), NOW)

    assert whole == target.arrived()


def test_full_disk_leaves_nothing_readable_behind(target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written whole is removed again."""
    with monkeypatch.context() as patch:
        patch.setattr(folder_module.os, "write", _failing_at(2, os.write, errno.ENOSPC))
        with pytest.raises(Transient):
            target.connect().deliver(make_auftrag(data=CANARY * 100_000), Checkpoints(), NOW)

    assert [] == list(target.kept())


@pytest.mark.parametrize(
    ("number", "fault", "code"),
    [
        (errno.EACCES, Misconfigured, "target.misconfigured"),
        (errno.EROFS, Misconfigured, "target.misconfigured"),
        (errno.EXDEV, Misconfigured, "target.misconfigured"),
        (errno.ENOSPC, Transient, "target.full"),
        (errno.EDQUOT, Transient, "target.full"),
        (errno.EIO, Unclear, "delivery.unclear"),
        (errno.ESTALE, Unclear, "delivery.unclear"),
        (errno.ETIMEDOUT, Unclear, "delivery.unclear"),
    ],
)
def test_failed_rename_says_who_heals_it(
    target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch, number: int, fault: type[Fault], code: str
) -> None:
    """Only a rename that may have happened all the same is unclear."""
    monkeypatch.setattr(handover, "rename_new", _raising(number))
    with pytest.raises(fault) as raised:
        target.connect().deliver(make_auftrag(), Checkpoints(), NOW)

    assert code == raised.value.code


def test_rename_done_but_reported_as_failed_is_found_by_lookup(
    target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share that renames and then reports an error leads to Unclear, then to Delivered without a second effect."""
    auftrag = make_auftrag()
    with monkeypatch.context() as patch:
        patch.setattr(handover, "rename_new", _before_failing(rename.rename_new, errno.EIO))
        with pytest.raises(Unclear):
            target.connect().deliver(auftrag, Checkpoints(), NOW)
    target.consume()

    assert isinstance(target.connect().lookup(auftrag.key, Checkpoints(), NOW), Delivered)
    assert target.expects(auftrag) == target.arrived()


@pytest.mark.parametrize("missing", ["drop", "state"])
def test_missing_folder_waits_for_the_operator(target: OrdnerTarget, missing: str) -> None:
    """A folder that is not there (an unmounted share) is never created; the fault names setting, path and what is wrong."""
    (target.root / missing).rmdir()
    with pytest.raises(Misconfigured) as raised:
        target.connect().deliver(make_auftrag(), Checkpoints(), NOW)

    assert f"{missing} {target.root / missing}: No such file or directory" == raised.value.where
    assert not (target.root / missing).exists()


def test_sync_order_outlives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages are durable before their seal, the seal before any rename, both folders before the verdict."""
    target = OrdnerTarget(tmp_path / "synced", checksum=True)
    steps = _record_steps(monkeypatch)
    auftrag = make_auftrag()
    target.connect().deliver(auftrag, Checkpoints(), NOW)
    names = {auftrag.key: "KEY", auftrag.package.file_name: "PACKAGE.zip", str(target.root): ""}
    short = [_replaced(step, names) for step in steps]

    assert [
        "fsync /state/KEY.ready",
        "fsync /state/KEY.sum.ready",
        "fsync /state",
        "fsync /state/KEY.sealed.new",
        "rename KEY.sealed",
        "fsync /state",
        "rename PACKAGE.zip.sha256",
        "rename PACKAGE.zip",
        "fsync /drop",
        "fsync /state",
    ] == short


def test_lookup_makes_a_found_delivery_durable_first(target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash may come between rename and sync, so lookup syncs both folders before it says Delivered."""
    auftrag = make_auftrag()
    target.connect().deliver(auftrag, Checkpoints(), NOW)
    steps = _record_steps(monkeypatch)
    target.connect().lookup(auftrag.key, Checkpoints(), NOW)

    assert [f"fsync {target.drop}", f"fsync {target.state}"] == steps


def test_lookup_removes_what_was_never_sealed(target: OrdnerTarget) -> None:
    """A package that a crash left unsealed does not rest readable."""
    auftrag = make_auftrag()
    (target.state / f"{auftrag.key}.ready").write_bytes(CANARY)

    assert isinstance(target.connect().lookup(auftrag.key, Checkpoints(), NOW), NotDelivered)
    assert [] == list(target.kept())


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", ".hidden", "a\nb", "a\0b", "x" * 249, "ü" * 125])
def test_unsafe_file_names_are_refused(target: OrdnerTarget, name: str) -> None:
    """A name that leaves the drop, hides or is too long reaches no folder."""
    auftrag = replace(make_auftrag(), package=Dokument(name, "application/zip", MemoryContent(b"x")))
    with pytest.raises(Misconfigured):
        target.connect().deliver(auftrag, Checkpoints(), NOW)

    assert [] == [*target.drop.iterdir(), *target.kept()]


def test_unsafe_keys_are_refused(target: OrdnerTarget) -> None:
    """A key that is no UUID never becomes a file name."""
    with pytest.raises(ValueError, match="UUID"):
        target.connect().lookup("../../etc/x", Checkpoints(), NOW)


def test_content_that_is_not_what_it_says_is_not_sent(target: OrdnerTarget) -> None:
    """Bytes that differ from their announced hash stop before they are sealed."""

    class Torn(MemoryContent):
        def read(self) -> bytes:
            return b"torn"

        def open(self) -> Any:
            return MemoryContent(b"torn").open()

    auftrag = replace(make_auftrag(), package=Dokument("a.zip", "application/zip", Torn(b"whole")))
    with pytest.raises(Misconfigured) as raised:
        target.connect().deliver(auftrag, Checkpoints(), NOW)

    assert "payload.corrupt" == raised.value.code
    assert [] == [*target.drop.iterdir(), *target.kept()]


def test_damaged_seal_is_unclear(target: OrdnerTarget) -> None:
    """A seal that cannot be read never becomes a delivery or a verdict."""
    auftrag = make_auftrag()
    (target.state / f"{auftrag.key}.sealed").write_bytes(b"{")
    for ask in (lambda c: c.lookup(auftrag.key, Checkpoints(), NOW), lambda c: c.deliver(auftrag, Checkpoints(), NOW)):
        with pytest.raises(Unclear):
            ask(target.connect())

    assert [] == list(target.drop.iterdir())


def test_link_in_the_state_folder_is_not_followed(target: OrdnerTarget, tmp_path: Path) -> None:
    """A link planted under a key's name leads to no file outside."""
    auftrag = make_auftrag()
    outside = tmp_path / "outside"
    outside.write_bytes(b"untouched")
    (target.state / f"{auftrag.key}.ready").symlink_to(outside)
    with pytest.raises(Misconfigured):
        target.connect().deliver(auftrag, Checkpoints(), NOW)

    assert b"untouched" == outside.read_bytes()


def test_faults_carry_no_content(target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the content nor the key stands in a fault."""
    auftrag = make_auftrag(data=CANARY)
    monkeypatch.setattr(handover, "rename_new", _raising(errno.EIO))
    with pytest.raises(Unclear) as raised:
        target.connect().deliver(auftrag, Checkpoints(), NOW)

    assert "delivery.unclear (drop)" == str(raised.value)


def test_entry_point_names_the_factory() -> None:
    """The manifest, the settings and their help texts are complete."""
    keys = [setting.key for setting in describe_settings(CONNECTOR.settings_type)]

    assert MANIFEST is CONNECTOR.manifest is Ordner.manifest
    assert ["drop", "state", "checksum", "acknowledgement", "acknowledgement.folder"] == keys[:5]
    assert "acknowledgement.deadline_hours" == keys[5]


def test_seal_is_readable_by_people(target: OrdnerTarget) -> None:
    """The note that proves a delivery is plain JSON with name, hash, length and time."""
    auftrag = make_auftrag(data=b"12345")
    target.connect().deliver(auftrag, Checkpoints(), NOW)
    note = json.loads((target.state / f"{auftrag.key}.sealed").read_bytes())

    assert {
        "checksum": False,
        "length": 5,
        "name": auftrag.package.file_name,
        "sealed_at": NOW.isoformat(),
        "sha256": auftrag.package.content.sha256,
        "version": 1,
    } == note


def _nothing() -> None:
    """A consumer that is away."""


def _crash(*arguments: Any, **named: Any) -> Any:
    raise KeyboardInterrupt


def _replaced(text: str, names: dict[str, str]) -> str:
    for name, short in names.items():
        text = text.replace(name, short)
    return text


def _raising(number: int) -> Callable[..., Any]:
    def fail(*arguments: Any, **named: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


def _after(first: Callable[[], object], call: Callable[..., Any]) -> Callable[..., Any]:
    def both(*arguments: Any, **named: Any) -> Any:
        first()
        return call(*arguments, **named)

    return both


def _before_failing(call: Callable[..., Any], number: int) -> Callable[..., Any]:
    def both(*arguments: Any, **named: Any) -> Any:
        call(*arguments, **named)
        raise OSError(number, os.strerror(number))

    return both


def _only_first(call: Callable[..., Any], number: int) -> Callable[..., Any]:
    calls = iter([call])
    return lambda *arguments, **named: next(calls, _raising(number))(*arguments, **named)


def _failing_at(number: int, call: Callable[..., Any], error: int) -> Callable[..., Any]:
    """`call`, failing from its n-th use on, as a disk that fills up does."""
    uses = iter(range(1, 1_000_000))

    def limited(*arguments: Any, **named: Any) -> Any:
        if next(uses) >= number:
            raise OSError(error, os.strerror(error))
        return call(*arguments, **named)

    return limited


def _record_steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    steps: list[str] = []
    real_fsync, real_rename, real_rename_new = os.fsync, os.rename, handover.rename_new

    def fsync(file: int) -> None:
        steps.append(f"fsync {os.readlink(f'/proc/self/fd/{file}')}")
        real_fsync(file)

    def rename_(source: str, target: str, **named: Any) -> None:
        steps.append(f"rename {target}")
        real_rename(source, target, **named)

    def rename_new(source: str, target: str, **named: Any) -> None:
        steps.append(f"rename {target}")
        real_rename_new(source, target, **named)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename_)
    monkeypatch.setattr(handover, "rename_new", rename_new)
    return steps


def test_readme_names_every_setting_and_only_known_codes(project: Path) -> None:
    """The README has a line for each setting and its default, and no code that the catalogue does not know."""
    text = (project / "connectors/ordner/README.md").read_text(encoding="utf-8")
    for setting in describe_settings(CONNECTOR.settings_type):
        if setting.type != "table":
            assert f"| `{setting.key}` |" in text
    codes = set(re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", text, re.MULTILINE)) - {"acknowledgement.folder"}

    assert {"target.full", "delivery.unclear"} < codes
    assert codes <= set(CATALOGUE)
