"""The folder door: complete files only, removed after the commit only, refused ones kept with their reason."""

from __future__ import annotations

import errno
import io
import json
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from tenacity import wait_none

from intermediary.core.faults import Misconfigured, Transient
from intermediary.core.values import Eingang
from intermediary.ingress import regular
from intermediary.ingress.doors import DoorRules, DoorState
from intermediary.ingress.folder import FolderDoor, FolderSettings
from intermediary.ingress.regular import UnreadableFile
from intermediary.ingress.sidecar import hidden_name
from intermediary.ingress.taking import GivenBack
from intermediary.keys.spool import Spool
from intermediary.testing.takes import NOW, RecordingTake

RULES = DoorRules("ablage", ("musterstadt",), max_bytes=1000, reply_to=frozenset({"portal-a"}))


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "eingang"
    folder.mkdir()
    return folder


@pytest.fixture
def take() -> RecordingTake:
    return RecordingTake()


@pytest.fixture
def door(inbox: Path, tmp_path: Path, take: RecordingTake) -> FolderDoor:
    return door_of(inbox, tmp_path, take)


def door_of(inbox: Path, tmp_path: Path, take: RecordingTake, **change: object) -> FolderDoor:
    settings = FolderSettings(**({"inbox": inbox, "poll_seconds": 0.01, "hold_seconds": 0.0} | change))  # type: ignore[arg-type]
    spool = Spool(tmp_path / "spool", memory_bytes=100)
    return FolderDoor(settings, RULES, take=take, clock=lambda: NOW, spool=spool, wait=wait_none())


def put(inbox: Path, name: str, body: bytes = b"synthetisch", *, age: int = 0, sidecar: object = None) -> Path:
    if sidecar is not None:
        (inbox / f"{name}.json").write_text(sidecar if isinstance(sidecar, str) else json.dumps(sidecar))
    path = inbox / name
    path.write_bytes(body)
    os.utime(path, (1_000_000 - age, 1_000_000 - age))
    return path


def visible(inbox: Path) -> set[str]:
    return {name for name in os.listdir(inbox) if name != ".refused"}


def test_a_file_is_taken_and_removed(door: FolderDoor, inbox: Path, take: RecordingTake) -> None:
    """The file's bytes become an Eingang under its name, and the file is gone."""
    put(inbox, "antrag-1.osci")

    assert 1 == door.sweep()
    assert {"antrag-1.osci": b"synthetisch"} == take.bodies
    assert ("musterstadt", "ablage", NOW) == (take.taken[0].mandant, take.taken[0].channel, take.taken[0].received_at)
    assert set() == visible(inbox)


def test_a_sidecar_states_what_the_name_cannot(door: FolderDoor, inbox: Path, take: RecordingTake) -> None:
    """Ids, order key and way back come from the sidecar, which goes with the file."""
    stated = {
        "message_id": "m-1",
        "mandant": "musterstadt",
        "reply_to": "portal-a",
        "correlation_id": "k-1",
        "vorgang": "v-1",
    }
    put(inbox, "a", sidecar=stated)

    door.sweep()

    (eingang,) = take.taken
    assert stated == {name: getattr(eingang, name) for name in stated}
    assert set() == visible(inbox)


@pytest.mark.parametrize("name", [".hidden", "a.part", "a.tmp", "orphan.json"])
def test_what_is_not_complete_is_left_alone(door: FolderDoor, inbox: Path, take: RecordingTake, name: str) -> None:
    """Names of files still being written, and sidecars without their file, are not touched."""
    put(inbox, name)

    assert 0 == door.sweep()
    assert {name} == visible(inbox)
    assert [] == take.calls


def test_the_oldest_comes_first(inbox: Path, tmp_path: Path, take: RecordingTake) -> None:
    """Files are taken in the order of their last change, in batches."""
    for age, name in enumerate(["newest", "middle", "oldest"]):
        put(inbox, name, age=age)

    assert 3 == door_of(inbox, tmp_path, take, batch=2).sweep()
    assert [["oldest", "middle"], ["newest"]] == take.calls


def test_a_batch_is_bounded_in_bytes(inbox: Path, tmp_path: Path, take: RecordingTake) -> None:
    """Large files do not pile up in one commit."""
    for age in range(3):
        put(inbox, f"f{age}", b"x" * 600, age=age)

    door_of(inbox, tmp_path, take, batch_bytes=1000).sweep()

    assert [2, 1] == [len(call) for call in take.calls]


def test_nothing_is_removed_that_is_not_durable(inbox: Path, tmp_path: Path) -> None:
    """While the store is away the files stay; when it is back they are taken."""
    put(inbox, "a")
    take = RecordingTake(_always(Transient("store.unavailable")))
    door = door_of(inbox, tmp_path, take)

    with pytest.raises(GivenBack):
        door.sweep()
    assert {"a"} == visible(inbox)
    assert (DoorState.HOLDING, "store.unavailable") == (door.status.state, door.status.code)
    take.fail = lambda _: None
    assert 1 == door.sweep()
    assert set() == visible(inbox)


def test_a_crash_between_commit_and_removal_repeats_the_same(
    door: FolderDoor, inbox: Path, take: RecordingTake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that was taken and not removed is offered again under the same id with the same bytes."""
    put(inbox, "a", sidecar={"message_id": "m-1"})

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "unlink", crash)
        door.sweep()
    door.sweep()

    assert [["m-1"], ["m-1"]] == take.calls
    assert set() == visible(inbox)


@pytest.mark.parametrize("refused", [False, True], ids=["taken", "refused"])
def test_a_crash_at_any_step_keeps_file_and_sidecar_together(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    """A crash at any step of the removal: the file is never offered without its sidecar, nor another file with it."""
    for step in count(1):
        take = RecordingTake()
        put(inbox, "a", b"" if refused else b"first", sidecar={"message_id": "m-1"})
        with monkeypatch.context() as patch:
            calls = _crash_at(step, patch)
            with suppress(KeyboardInterrupt):
                door_of(inbox, tmp_path, take).sweep()
        if not (inbox / "a").exists():  # another one under the same name, before the door comes back
            put(inbox, "a", b"second")
        door_of(inbox, tmp_path, take).sweep()
        door_of(inbox, tmp_path, take).sweep()
        bodies = [(eingang.message_id, eingang.body.length) for eingang in take.taken]

        assert {*bodies} <= ({("a", 6)} if refused else {("m-1", 5), ("a", 6)}), f"crash at step {step}"
        assert set() == visible(inbox), f"crash at step {step}"
        if calls[-1] < step:
            return


def test_a_sidecar_outlives_a_file_that_its_sender_took_back(inbox: Path, tmp_path: Path) -> None:
    """A file that is gone when it is to be removed: a sidecar of that name may belong to the next one, and stays."""
    put(inbox, "a", sidecar={"message_id": "m-1"})

    def vanish(_: Sequence[Eingang]) -> None:
        (inbox / "a").unlink(missing_ok=True)

    door_of(inbox, tmp_path, RecordingTake(vanish)).sweep()

    assert {"a.json"} == visible(inbox)


@pytest.mark.parametrize("length", [250, 251, 255])
def test_a_name_too_long_for_a_sidecar_has_none(
    door: FolderDoor, inbox: Path, take: RecordingTake, length: int
) -> None:
    """A file whose sidecar could not exist is taken under its name; an unacceptable one is refused like any other."""
    put(inbox, "a" * length)
    put(inbox, "b" * length, b"")

    assert 2 == door.sweep()
    assert {"a" * length} == take.ids
    assert set() == visible(inbox)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ELOOP, errno.ENAMETOOLONG, errno.EACCES])
@pytest.mark.parametrize("bad", ["bad", "bad.json"])
def test_a_file_that_cannot_be_opened_keeps_no_other_back(
    door: FolderDoor, inbox: Path, take: RecordingTake, monkeypatch: pytest.MonkeyPatch, number: int, bad: str
) -> None:
    """An error of one file, or of its sidecar, sets that one aside; a sidecar of an impossible name is none."""
    put(inbox, "bad", sidecar={"message_id": "bad"})
    put(inbox, "good", age=-1)
    real = os.open

    def open_(name: str, *arguments: int, **named: int) -> int:
        if name == bad:
            raise OSError(number, os.strerror(number))
        return real(name, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", open_)
        door.sweep()
    is_none = bad == "bad.json" and number == errno.ENAMETOOLONG

    assert "good" in take.ids
    assert is_none == ("bad" in take.ids)
    assert is_none != (inbox / "bad").exists()
    assert is_none or 1 == len(door._aside)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_what_the_machine_lacks_holds_the_door(
    door: FolderDoor, inbox: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """No file descriptors left is no property of a file: nothing is set aside for it."""
    put(inbox, "a")
    real = os.open

    def open_(name: str, *arguments: int, **named: int) -> int:
        if name == "a":
            raise OSError(number, os.strerror(number))
        return real(name, *arguments, **named)

    monkeypatch.setattr(os, "open", open_)
    with pytest.raises(OSError, match=os.strerror(number)):
        door.sweep()

    assert {} == door._aside


def test_a_hidden_sidecar_whose_file_is_gone_is_removed(door: FolderDoor, inbox: Path, take: RecordingTake) -> None:
    """What a crash left of a file that was taken disappears at the next look; that of a file still there stays."""
    path = put(inbox, "a", sidecar={"message_id": "m-1"})
    facts = path.stat()
    named = {"inode": facts.st_ino, "changed_ns": facts.st_mtime_ns, "size": facts.st_size}
    (inbox / "a.json").rename(inbox / hidden_name("a", **named))
    put(inbox, hidden_name("a", **(named | {"inode": 1})), b"{}")

    assert 1 == door.sweep()
    assert {"m-1"} == take.ids
    assert set() == visible(inbox)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE])
def test_a_file_that_cannot_be_looked_at_keeps_no_other_back(
    door: FolderDoor, inbox: Path, take: RecordingTake, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """An error at the look at one name sets that one aside; the door goes on."""
    put(inbox, "good")
    real = os.scandir
    bad = _Unseen("bad", number)
    monkeypatch.setattr(os, "scandir", lambda path: nullcontext([bad, *real(path)]))

    assert 1 == door.sweep()
    assert {"good"} == take.ids
    assert ["bad"] == list(door._aside)


def test_a_file_that_breaks_while_it_is_read_keeps_no_other_back(
    door: FolderDoor, inbox: Path, take: RecordingTake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged sector is the file's own; a full spool is not."""
    put(inbox, "bad", b"x" * 500)
    put(inbox, "good", age=-1)

    def broken(self: io.BufferedReader, size: int | None = -1, /) -> bytes:
        content = io.FileIO.readall(self.raw)  # type: ignore[arg-type]
        if content.startswith(b"x"):
            raise UnreadableFile(errno.EIO, "broken")
        return content

    with monkeypatch.context() as patch:
        patch.setattr(regular._Reader, "read", broken)
        with suppress(OSError):
            door.sweep()

    assert {"good"} == take.ids
    assert {"bad"} == visible(inbox)


def test_a_full_spool_holds_the_door(door: FolderDoor, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No room for the copy is no property of the file: nothing is set aside for it."""
    put(inbox, "a", b"x" * 500)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Spool, "copy", full)
    with pytest.raises(OSError, match="space"):
        door.sweep()

    assert {} == door._aside


@pytest.mark.parametrize(("call", "body"), [("unlink", b"x"), ("rename", b"")], ids=["taken", "refused"])
def test_a_file_that_cannot_be_moved_keeps_no_other_back(
    door: FolderDoor, inbox: Path, take: RecordingTake, monkeypatch: pytest.MonkeyPatch, call: str, body: bytes
) -> None:
    """A file that is not ours to remove or to move stays with its sidecar; the others are taken, no reason piles up."""
    put(inbox, "bad", body, sidecar={"message_id": "bad"})
    put(inbox, "good", age=-1)
    real = getattr(os, call)

    def forbidden(name: str, *arguments: str, **named: int) -> None:
        if name == "bad":
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        real(name, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, forbidden)
        assert 1 == door.sweep()
    kept = inbox / ".refused"

    assert not (inbox / "good").exists()
    assert (inbox / "bad").exists()
    assert "good" in take.ids
    assert not kept.exists() or [] == os.listdir(kept)
    door._aside.clear()
    assert 1 == door.sweep()
    assert set() == visible(inbox)
    assert {"good", "bad"} - (set() if body else {"bad"}) == take.ids


def test_a_file_that_was_replaced_meanwhile_is_not_removed(inbox: Path, tmp_path: Path) -> None:
    """What takes the place of a file between commit and removal stays, and is taken next."""
    put(inbox, "a", b"first")

    def replace(_: Sequence[Eingang]) -> None:
        if (inbox / "a").read_bytes() == b"first":
            put(inbox, ".b", b"second", age=5).rename(inbox / "a")

    take = RecordingTake(replace)
    door = door_of(inbox, tmp_path, take)
    door.sweep()

    assert b"second" == (inbox / "a").read_bytes()
    door.sweep()
    assert set() == visible(inbox)
    assert 2 == len(take.taken)


@pytest.mark.parametrize(
    ("body", "sidecar", "code"),
    [
        (b"", None, "intake.body.empty"),
        (b"x" * 1001, None, "intake.size.exceeded"),
        (b"x", {"mandant": "fremd"}, "intake.mandant.unknown"),
        (b"x", {"message_id": ""}, "intake.id.missing"),
        (b"x", {"message_id": 7}, "intake.id.missing"),
        (b"x", {"reply_to": "portal-b"}, "intake.reply.unlisted"),
        (b"x", {"content_type": "text/plain"}, "intake.type.unknown"),
        (b"x", {"vorgang": "a\nb"}, "intake.header.invalid"),
        (b"x", {"unknown": "x"}, "intake.header.invalid"),
        (b"x", [], "intake.header.invalid"),
        (b"x", "{", "intake.header.invalid"),
        (b"x", "[" * 50_000, "intake.header.invalid"),
        (b"x", '"' + "x" * 70_000 + '"', "intake.header.invalid"),
    ],
)
def test_what_is_refused_is_kept_with_its_reason(
    door: FolderDoor, inbox: Path, take: RecordingTake, body: bytes, sidecar: object, code: str
) -> None:
    """The file moves to `.refused`, its sidecar too, and a text says code, meaning and remedy."""
    put(inbox, "a", body, sidecar=sidecar)
    put(inbox, "good", age=-1)

    assert 2 == door.sweep()
    refused = inbox / ".refused"
    assert body == (refused / "a").read_bytes()
    assert code == (refused / "a.reason.txt").read_text().splitlines()[0]
    assert (sidecar is not None) == (refused / "a.json").exists()
    assert {"good"} == take.ids
    assert set() == visible(inbox)


def _link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


@pytest.mark.parametrize("make", [_link, os.mkfifo], ids=["link", "fifo"])
def test_only_regular_files_are_read(
    door: FolderDoor, inbox: Path, take: RecordingTake, make: Callable[[Path], None]
) -> None:
    """A link is moved aside as the link it is; a pipe does not block the door."""
    make(inbox / "a")

    assert 1 == door.sweep()
    assert "intake.file.invalid" == (inbox / ".refused" / "a.reason.txt").read_text().splitlines()[0]
    assert [] == take.calls


def test_refused_files_never_overwrite_each_other(door: FolderDoor, inbox: Path) -> None:
    """The same name refused again is kept under a new one; a name too long for its reason is kept under its hash."""
    for body in (b"1" * 1001, b"2" * 1001):
        put(inbox, "a", body)
        door.sweep()
    put(inbox, "x" * 250, b"")
    door.sweep()

    names = os.listdir(inbox / ".refused")
    assert {"a", "a.2", "a.reason.txt", "a.2.reason.txt"} <= set(names)
    assert 6 == len(names)


def test_a_file_being_written_is_left_for_the_next_look(
    door: FolderDoor, inbox: Path, take: RecordingTake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that changes while it is read is not taken in that state."""
    path = put(inbox, "a", b"x" * 500)
    copy = Spool.copy

    def copy_while_writing(self: Spool, *arguments: object, **named: object) -> object:
        content = copy(self, *arguments, **named)  # type: ignore[arg-type]
        path.write_bytes(b"x" * 500 + b"more")
        return content

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "copy", copy_while_writing)
        assert 0 == door.sweep()
    assert [] == take.calls
    assert 1 == door.sweep()
    assert b"x" * 500 + b"more" == take.bodies["a"]


def test_one_that_cannot_be_taken_does_not_stop_the_others(inbox: Path, tmp_path: Path) -> None:
    """A file whose Mandant has no key waits; the next look does not try it again at once, later ones do."""

    def fail(offered: Sequence[Eingang]) -> None:
        if "bad" in [eingang.message_id for eingang in offered]:
            raise Misconfigured("key.unavailable")

    for age, name in enumerate(["good-1", "bad", "good-2"]):
        put(inbox, name, age=age)
    take = RecordingTake(fail)
    now = [0.0]
    settings = FolderSettings(inbox=inbox, aside_seconds=30)
    door = FolderDoor(
        settings,
        RULES,
        take=take,
        clock=lambda: NOW,
        spool=Spool(tmp_path / "s"),
        ticks=lambda: now[0],
        wait=wait_none(),
    )

    assert 2 == door.sweep()
    assert {"bad"} == visible(inbox)
    calls = len(take.calls)
    door.sweep()
    assert calls == len(take.calls)
    take.fail = lambda _: None
    now[0] = 31
    assert 1 == door.sweep()
    assert set() == visible(inbox)


def test_a_name_that_is_no_text_is_refused(door: FolderDoor, inbox: Path, take: RecordingTake) -> None:
    """Bytes that are no UTF-8 cannot be a message id, and do not stop the door."""
    with open(os.fsencode(inbox) + b"/\xff\xfe", "wb") as stream:
        stream.write(b"x")

    assert 1 == door.sweep()
    assert 3 == len(os.listdir(os.fsencode(inbox) + b"/.refused")) + 1
    assert [] == take.calls


def test_the_door_runs_until_it_is_stopped(door: FolderDoor, inbox: Path, take: RecordingTake) -> None:
    """What appears while it runs is taken; after `stop` it returns, and says that it is closed."""
    thread = threading.Thread(target=door.run)
    thread.start()
    put(inbox, ".a").rename(inbox / "a")
    was_taken = take.wait_for(lambda t: "a" in t.ids)
    door.stop()
    thread.join(1.0)

    assert was_taken
    assert not thread.is_alive()
    assert DoorState.CLOSED is door.status.state


def test_a_missing_folder_is_waited_for(tmp_path: Path, take: RecordingTake) -> None:
    """A folder that is away (not mounted) is looked for until it is there; it is not created."""
    inbox = tmp_path / "later"
    looked = threading.Event()

    class Waiting(FolderDoor):
        def sweep(self) -> int:
            try:
                return super().sweep()
            finally:
                looked.set()

    settings = FolderSettings(inbox=inbox, poll_seconds=0.01)
    door = Waiting(settings, RULES, take=take, clock=lambda: NOW, spool=Spool(tmp_path / "s"), wait=wait_none())
    thread = threading.Thread(target=door.run)
    thread.start()
    assert looked.wait(10)
    assert not inbox.exists()
    inbox.mkdir()
    put(inbox, ".a").rename(inbox / "a")
    was_taken = take.wait_for(lambda t: "a" in t.ids)
    door.stop()
    thread.join(1.0)

    assert was_taken
    assert not thread.is_alive()


@dataclass
class _Unseen:
    """A directory's entry whose file cannot be looked at."""

    name: str
    number: int

    def stat(self, *, follow_symlinks: bool) -> os.stat_result:
        raise OSError(self.number, os.strerror(self.number))


def _crash_at(step: int, patch: pytest.MonkeyPatch) -> list[int]:
    """Die before the `step`-th change of a name; the list's last entry counts them."""
    calls = [0]

    def dying(call: Callable[..., None]) -> Callable[..., None]:
        def change(*arguments: str, **named: int) -> None:
            calls.append(calls[-1] + 1)
            if calls[-1] == step:
                raise KeyboardInterrupt
            call(*arguments, **named)

        return change

    for name in ("unlink", "rename"):
        patch.setattr(os, name, dying(getattr(os, name)))
    return calls


def _always(error: Exception) -> Callable[[Sequence[Eingang]], None]:
    def fail(_: Sequence[Eingang]) -> None:
        raise error

    return fail
