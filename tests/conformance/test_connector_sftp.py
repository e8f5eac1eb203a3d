"""The connector `sftp`: the conformance suite on a disk, line by line; then what is its own: layouts, seals, answers."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from connectors.sftp import connector as connector_module
from connectors.sftp.connector import CONNECTOR, MANIFEST, Sftp
from connectors.sftp.remote import Failure, RemoteError
from connectors.sftp.settings import SftpSettings
from intermediary.connect.settings import describe_settings
from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear
from intermediary.core.ports import Awaiting, Delivered, NotDelivered, Refused
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Dokument, MemoryContent, Zustellauftrag
from intermediary.testing.connectors import CHECKS, NOW, Check, code_of, deliver, look_up, make_auftrag, recover
from intermediary.testing.crashes import kill_at, stopped_at
from tests.conformance.sftp_target import Disk, SftpTarget


def target_at(folder: Path, **options: Any) -> SftpTarget:
    """A target; `answers=True` makes it acknowledge."""
    if options.pop("answers", False):
        options["acknowledgement"] = {"folder": str(folder / "answers"), "deadline_hours": 24}
    return SftpTarget(folder, options=options)


@pytest.fixture
def target(tmp_path: Path) -> SftpTarget:
    return target_at(tmp_path / "plain")


SLOW = {"_kill", "survives", "rival"}
"""What forks a process for each line: minutes of it belong to the soak; here every 23rd line."""


def _mark(check: Check) -> Any:
    is_slow = any(word in check.__name__ for word in SLOW)
    return pytest.param(check, marks=pytest.mark.soak if is_slow else (), id=check.__name__)


@pytest.mark.parametrize("check", [_mark(check) for check in CHECKS])
@pytest.mark.parametrize("options", [{}, {"checksum": True, "answers": True}], ids=["plain", "checksum and answers"])
def test_conforms(check: Check, options: dict[str, Any], tmp_path: Path) -> None:
    """The connector keeps the contract of its port: killed before any line, stopped at any line and overtaken."""
    check(lambda name: target_at(tmp_path / name, **options))


@pytest.mark.parametrize("layout", ["package", "files", "folder"])
def test_killed_or_overtaken_here_and_there(layout: str, tmp_path: Path) -> None:
    """A worker that dies at a line, and one that is stopped there and goes on when another has done its work."""
    auftrag = with_documents(make_auftrag())
    for step in count(5, 23):
        target, rival = (target_at(tmp_path / f"{name}-{step}", layout=layout, checksum=True) for name in ("a", "b"))
        code = code_of(target.connect())
        struck = kill_at(
            step, lambda target=target: deliver(target.connect(), auftrag), code=code, meanwhile=target.consume
        )
        recover(target.connect(), auftrag)
        target.consume()
        with stopped_at(step, lambda rival=rival: deliver(rival.connect(), auftrag), code=code):
            recover(rival.connect(), auftrag)
            rival.consume()
        rival.consume()
        recover(rival.connect(), auftrag)

        assert sorted(target.expects(auftrag)) == sorted(target.arrived()), step
        assert sorted(rival.expects(auftrag)) == sorted(rival.arrived()), step
        if not struck:
            return


def with_documents(auftrag: Zustellauftrag) -> Zustellauftrag:
    """The same with two documents of its own."""
    documents = tuple(
        Dokument(f"{auftrag.key[:8]}-{name}.pdf", "application/pdf", MemoryContent(name.encode() * 9))
        for name in ("plan", "foto")
    )
    return replace(auftrag, dokumente=documents)


@pytest.mark.soak
@pytest.mark.parametrize("layout", ["files", "folder"])
def test_several_documents_survive_kills(layout: str, tmp_path: Path) -> None:
    """Documents as files before the package, or all in one folder: killed before any line, everything arrives once."""
    auftrag = with_documents(make_auftrag())
    for step in count(1):
        target = target_at(tmp_path / f"{layout}-{step}", layout=layout, checksum=True)
        steps = Checkpoints(MANIFEST.steps)
        struck = kill_at(
            step,
            lambda target=target, steps=steps: target.connect().deliver(auftrag, steps, NOW),
            code=code_of(target.connect()),
            meanwhile=target.consume,
        )
        recover(target.connect(), auftrag)
        target.consume()

        assert sorted(target.expects(auftrag)) == sorted(target.arrived()), step
        if not struck:
            return


def test_a_folder_appears_complete(tmp_path: Path) -> None:
    """In the layout `folder` there is no moment at which the drop has a part of it."""
    target, auftrag = target_at(tmp_path / "folder", layout="folder"), with_documents(make_auftrag())
    seen: list[int] = []

    def look() -> None:
        seen.extend(len(list(folder.iterdir())) for folder in target.drop.iterdir())

    kill_at(
        10_000,
        lambda: deliver(target.connect(), auftrag),
        code=code_of(target.connect()),
        meanwhile=lambda: look() if any(target.drop.iterdir()) else None,
    )
    look()

    assert {3} == set(seen)


class Broken(Disk):
    """A disk on which one kind of request fails."""

    def __init__(self, request: str, failure: Failure, *, after: int = 0, only: str = "") -> None:
        self._request, self._failure, self._after, self._only = request, failure, after, only

    def __getattribute__(self, name: str) -> Any:
        mine = super().__getattribute__(name)
        if name.startswith("_") or name != self._request:
            return mine

        def fail(*arguments: Any) -> Any:
            if self._only and not any(self._only in str(one) for one in arguments):
                return mine(*arguments)
            self._after -= 1
            if self._after >= 0:
                return mine(*arguments)
            raise RemoteError(self._failure)

        return fail


def broken(target: SftpTarget, *arguments: Any, **named: Any) -> Sftp:
    """A connector whose server fails."""
    from contextlib import nullcontext

    made = target.connect()
    made._remote = lambda: nullcontext(Broken(*arguments, **named))  # type: ignore[method-assign,assignment,return-value]
    return made


@pytest.mark.parametrize(
    ("request_", "failure", "kind", "code"),
    [
        ("upload", Failure.FAILED, Transient, "target.full"),
        ("upload", Failure.DENIED, Misconfigured, "target.misconfigured"),
        ("upload", Failure.LOST, Transient, "target.unreachable"),
        ("names", Failure.LOST, Transient, "target.unreachable"),
        ("make_folder", Failure.DENIED, Misconfigured, "target.misconfigured"),
        ("make_folder", Failure.FAILED, Transient, "target.full"),
        ("facts", Failure.LOST, Transient, "target.unreachable"),
    ],
)
def test_failures_before_anything_arrived(
    request_: str, failure: Failure, kind: type[Fault], code: str, target: SftpTarget
) -> None:
    """A full disk heals by time, rights by the operator, a lost session by time; and nothing is in the drop."""
    auftrag = make_auftrag()
    with pytest.raises(kind) as raised:
        deliver(broken(target, request_, failure), auftrag)

    assert code == raised.value.code
    assert [] == target.arrived()
    deliver(target.connect(), replace(auftrag, attempt=2))
    assert target.expects(auftrag) == target.arrived()


def test_a_lost_answer_to_the_rename_is_unclear(target: SftpTarget) -> None:
    """Only there nobody knows; the look-up does, whichever it was."""
    auftrag = make_auftrag()
    with pytest.raises(Unclear) as raised:
        deliver(broken(target, "rename", Failure.LOST, only="/drop/"), auftrag)
    before = look_up(target.connect(), auftrag.key)
    verdict = deliver(target.connect(), replace(auftrag, attempt=2))

    assert ("target.no-answer", "drop") == (raised.value.code, raised.value.where)
    assert NotDelivered() == before
    assert verdict == look_up(target.connect(), auftrag.key)
    assert target.expects(auftrag) == target.arrived()


def test_a_rename_that_is_refused_waits_for_the_operator(target: SftpTarget) -> None:
    """Two file systems, or a folder without rights: the package stays sealed and goes out later."""
    auftrag = make_auftrag()
    with pytest.raises(Misconfigured) as raised:
        deliver(broken(target, "rename", Failure.FAILED, only="/drop/"), auftrag)

    assert "drop: cannot be renamed into" == raised.value.where
    deliver(target.connect(), auftrag)
    assert target.expects(auftrag) == target.arrived()


def test_with_some_of_it_in_the_drop_nothing_is_certain(tmp_path: Path) -> None:
    """A failure between two documents is unclear; the next attempt only renames the rest."""
    target, auftrag = target_at(tmp_path / "files", layout="files"), with_documents(make_auftrag())
    with pytest.raises(Unclear):
        deliver(broken(target, "rename", Failure.FAILED, only="/drop/", after=1), auftrag)
    assert 1 == len(target.arrived())
    assert NotDelivered() == look_up(target.connect(), auftrag.key)
    target.consume()
    deliver(target.connect(), auftrag)
    assert sorted(target.expects(auftrag)) == sorted(target.arrived())


def test_a_completed_document_is_not_uploaded_again(tmp_path: Path) -> None:
    """Steps of an earlier attempt are kept: of three documents, only what was missing is sent (resume)."""
    target, auftrag = target_at(tmp_path / "resume", layout="files"), with_documents(make_auftrag())
    steps = Checkpoints(MANIFEST.steps)
    with pytest.raises(Transient):
        broken(target, "upload", Failure.LOST, after=2).deliver(auftrag, steps, NOW)
    opened: list[str] = []

    class Counting(MemoryContent):
        def open(self) -> BinaryIO:
            opened.append(self.sha256)
            return super().open()

    again = replace(
        auftrag,
        attempt=2,
        package=replace(auftrag.package, content=Counting(auftrag.package.content.read())),
        dokumente=tuple(replace(one, content=Counting(one.content.read())) for one in auftrag.dokumente),
    )
    target.connect().deliver(again, steps, NOW)

    assert [auftrag.package.content.sha256] == opened
    assert 2 == len(list(steps))
    assert sorted(target.expects(auftrag)) == sorted(target.arrived())


def test_changed_output_replaces_what_is_provably_unsent(target: SftpTarget) -> None:
    """Other bytes under a sealed key go out instead, as long as nothing of the first has left the staging folder."""
    first = make_auftrag(data=b"first")
    with pytest.raises(Misconfigured):
        deliver(broken(target, "rename", Failure.FAILED, only="/drop/"), first)
    second = make_auftrag(data=b"second")
    deliver(target.connect(), second)

    assert target.expects(second) == target.arrived()


def test_a_package_alone_leaves_no_step(target: SftpTarget) -> None:
    """A step would keep the engine from replacing an output that is provably unsent."""
    steps = Checkpoints(MANIFEST.steps)
    target.connect().deliver(make_auftrag(), steps, NOW)

    assert [] == list(steps)


def test_changed_output_of_a_sent_key_is_unclear(target: SftpTarget) -> None:
    """Other bytes under a key that was sent are never sent."""
    first = make_auftrag(data=b"first")
    deliver(target.connect(), first)
    target.consume()
    with pytest.raises(Unclear) as raised:
        deliver(target.connect(), make_auftrag(data=b"second"))

    assert "output.changed" == raised.value.code
    assert target.expects(first) == target.arrived()


@pytest.mark.soak
def test_changed_output_survives_kills(tmp_path: Path) -> None:
    """Killed at any line of taking a seal back: in the end exactly the second output is there."""
    first, second = make_auftrag(data=b"first"), replace(make_auftrag(data=b"second"), attempt=2)
    for step in count(1):
        target = target_at(tmp_path / f"changed-{step}")
        with pytest.raises(Misconfigured):
            deliver(broken(target, "rename", Failure.FAILED, only="/drop/"), first)
        struck = kill_at(
            step,
            lambda target=target: deliver(target.connect(), second),
            code=code_of(target.connect()),
            meanwhile=target.consume,
        )
        recover(target.connect(), second)

        assert target.expects(second) == target.arrived(), step
        if not struck:
            return


def test_a_seal_that_was_withdrawn_too_late_is_put_back(target: SftpTarget) -> None:
    """An overtaken process renamed while the seal was taken back: what the folder lacks has been delivered."""
    auftrag = make_auftrag()
    deliver(target.connect(), auftrag)
    folder = target.staging / auftrag.key
    (folder / "sealed").rename(folder / "7.void")

    assert isinstance(look_up(target.connect(), auftrag.key), Delivered)
    assert ["sealed"] == [path.name for path in folder.iterdir()]


def test_a_taken_name_is_waited_for(target: SftpTarget) -> None:
    """A file of the same name that nobody has consumed yet is never overwritten."""
    auftrag = make_auftrag()
    occupied = target.drop / auftrag.package.file_name
    occupied.write_bytes(b"older")
    with pytest.raises(Transient) as raised:
        deliver(target.connect(), auftrag)

    assert ("target.full", b"older") == (raised.value.code, occupied.read_bytes())
    occupied.unlink()
    deliver(target.connect(), auftrag)
    assert target.expects(auftrag) == target.arrived()


def test_after_a_delivery_nothing_readable_is_left(target: SftpTarget) -> None:
    """The staging folder keeps the seal; it names files and hashes, and no content."""
    auftrag = make_auftrag(data=b"CANARY-Erika-Musterfrau")
    proof = deliver(target.connect(), auftrag)
    files = [path for path in target.staging.rglob("*") if path.is_file()]

    assert ["seal.json"] == [path.name for path in files]
    seal = json.loads(files[0].read_bytes())
    assert isinstance(proof, Delivered)
    assert dict(proof.proof) == seal["proof"]
    assert hashlib.sha256(b"CANARY-Erika-Musterfrau").hexdigest() == proof.proof["sha256"]
    assert "2026" in proof.proof["stored_at"] or proof.proof["stored_at"].endswith("+00:00")
    assert "CANARY" not in files[0].read_text()


def test_a_damaged_seal_is_unclear(target: SftpTarget) -> None:
    """Nobody guesses what it said."""
    auftrag = make_auftrag()
    deliver(target.connect(), auftrag)
    (target.staging / auftrag.key / "sealed" / "seal.json").write_bytes(b"{")
    with pytest.raises(Unclear):
        look_up(target.connect(), auftrag.key)


def test_missing_folders_wait_for_the_operator(target: SftpTarget) -> None:
    """A share that is not mounted is not made: neither drop nor staging; only a Mandant's folder, if that is asked for."""
    auftrag = make_auftrag()
    for folder in (target.staging, target.drop):
        folder.rename(target.root / "away")
        with pytest.raises(Misconfigured):
            deliver(target.connect(), auftrag)
        (target.root / "away").rename(folder)
    by_mandant = {"drop": f"{target.drop}/{{mandant}}"}
    with pytest.raises(Misconfigured):
        deliver(target.connect(**by_mandant), make_auftrag(2))
    deliver(target.connect(**by_mandant, create_folders=True), make_auftrag(2))

    assert ["musterstadt"] == [path.name for path in target.drop.iterdir()]


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("ok", b"", "delivered"),
        ("error", b"E4711\nfree text about a person", "E4711"),
        ("error", b"Frau Musterfrau fehlt", "unspecified"),
        ("error", b"", "unspecified"),
    ],
)
def test_answers_are_verdicts(file: str, content: bytes, expected: str, tmp_path: Path) -> None:
    """None before, the verdict after, the same again, and the answer is taken down; free text is left out."""
    target, auftrag = target_at(tmp_path / "answers", answers=True), make_auftrag()
    awaiting = deliver(target.connect(), auftrag)
    assert isinstance(awaiting, Awaiting)
    collect = lambda: target.connect().collect(auftrag.key, awaiting.correlation, NOW)  # noqa: E731
    before = collect()
    (target.answers / f"{auftrag.package.file_name}.{file}").write_bytes(content)
    verdicts = [collect(), collect()]

    assert before is None
    assert verdicts[0] == verdicts[1]
    assert [] == list(target.answers.iterdir())
    assert isinstance(verdicts[0], Delivered | Refused)
    assert expected == (verdicts[0].reason if isinstance(verdicts[0], Refused) else "delivered")


def test_both_answers_at_once_are_unclear_and_old_ones_waited_for(tmp_path: Path) -> None:
    """Nobody guesses which one counts; and an answer to an earlier file of the name is no answer to this one."""
    target, auftrag = target_at(tmp_path / "both", answers=True), make_auftrag()
    name = auftrag.package.file_name
    (target.answers / f"{name}.ok").touch()
    with pytest.raises(Transient) as raised:
        deliver(target.connect(), auftrag)
    assert "acknowledgement.folder" == raised.value.where
    (target.answers / f"{name}.ok").unlink()
    awaiting = deliver(target.connect(), auftrag)
    assert isinstance(awaiting, Awaiting)
    for suffix in ("ok", "error"):
        (target.answers / f"{name}.{suffix}").touch()
    with pytest.raises(Unclear):
        target.connect().collect(auftrag.key, awaiting.correlation, NOW)


def test_content_that_is_not_what_it_says_is_not_sent(target: SftpTarget) -> None:
    """The source's fault passes, and nothing is in the drop."""

    class Corrupt(MemoryContent):
        def open(self) -> BinaryIO:
            raise Misconfigured("payload.corrupt")

    auftrag = make_auftrag()
    broken_one = replace(auftrag, package=replace(auftrag.package, content=Corrupt(b"x")))
    with pytest.raises(Misconfigured) as raised:
        deliver(target.connect(), broken_one)

    assert "payload.corrupt" == raised.value.code
    assert [] == target.arrived()


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "a\\b", "a\nb", "x" * 250])
def test_unsafe_file_names_are_refused(name: str, target: SftpTarget) -> None:
    """A name that leaves its folder or hides is a mistake of the mapping."""
    auftrag = make_auftrag()
    with pytest.raises(Misconfigured) as raised:
        deliver(target.connect(), replace(auftrag, package=replace(auftrag.package, file_name=name)))

    assert "mapping.output.invalid" == raised.value.code


def test_two_documents_of_one_name_are_refused(tmp_path: Path) -> None:
    """One would replace the other."""
    target, auftrag = target_at(tmp_path / "same", layout="files"), with_documents(make_auftrag())
    twice = replace(auftrag, dokumente=(auftrag.dokumente[0], auftrag.dokumente[0]))
    with pytest.raises(Misconfigured) as raised:
        deliver(target.connect(), twice)

    assert "mapping.output.invalid" == raised.value.code


def test_names_by_pattern(target: SftpTarget) -> None:
    """A name may carry the key and the Mandant."""
    auftrag = make_auftrag()
    deliver(target.connect(name="{mandant}_{key}_{file_name}"), auftrag)

    (file,) = target.drop.iterdir()
    assert f"musterstadt_{auftrag.key}_{auftrag.package.file_name}" == file.name


@pytest.mark.parametrize(
    "wrong",
    [
        {"host_key": None},
        {"known_hosts": "hosts"},
        {"key_file": None},
        {"password_file": "secret"},
        {"host_key": ["MD5:aa"]},
        {"drop": "../drop"},
        {"drop": "drop/{key}"},
        {"staging": "x/{mandant}"},
        {"name": "fixed.zip"},
        {"name": "a/{key}"},
        {"name": "{betreff}{key}"},
        {"port": 0},
        {"port": 70000},
        {"key_file": None, "password_file": "p", "key_password_file": "q"},
    ],
)
def test_settings_that_could_hurt_are_findings(wrong: dict[str, Any], target: SftpTarget) -> None:
    """An unknown server is never trusted, names stay in their folder, and each Zustellung has its own."""
    with pytest.raises(Misconfigured) as raised:
        target.settings(**wrong)

    assert raised.value.findings


def test_without_the_library_the_operator_is_told(target: SftpTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """`lint` shows what to install; nothing else of the connector needs it."""
    monkeypatch.setattr(connector_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Misconfigured) as raised:
        CONNECTOR.build(target.settings(), target.root)

    assert "target.library.missing" == raised.value.code
    assert "[sftp]" in raised.value.where


def test_readme_names_every_setting_and_only_known_codes(project: Path) -> None:
    """The page for operators is complete, and invents nothing."""
    readme = (project / "connectors/sftp/README.md").read_text(encoding="utf-8")
    codes = set(re.findall(r"^\| `([a-z.-]+\.[a-z.-]+)` \|", readme, re.MULTILINE)) - {
        setting.key for setting in describe_settings(SftpSettings)
    }

    assert [] == [one.key for one in describe_settings(SftpSettings) if f"`{one.key}`" not in readme]
    assert codes
    assert not codes - set(CATALOGUE)
