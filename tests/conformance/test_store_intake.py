"""Any engine: taking. Durable before it is told, once per Sendung, and nothing readable at rest."""

from __future__ import annotations

import base64
import io
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured, Transient
from intermediary.core.ids import nachricht_id
from intermediary.core.values import MemoryContent
from intermediary.store import Headers, Store
from intermediary.store.blobs import Intake
from tests.conformance.store_kit import INSTALLATION, MANDANTEN, NOW, OUTPUT, SECOND, Bench, N, eingang


def test_what_was_taken_comes_back(store: Store) -> None:
    """Body and headers are opened again exactly, more than once."""
    body = bytes(range(256)) * 1000
    [taken] = store.take([eingang("antrag-1", body, reply_to="quittungen.a", correlation_id="c-1", vorgang="v-1")])
    content = store.body(taken.nachricht_id)

    assert "new" == taken.outcome
    assert (body, body, len(body)) == (content.read(), content.read(), content.length)
    assert Headers("antrag-1", "quittungen.a", "c-1", "v-1") == store.headers(taken.nachricht_id)


def test_the_id_is_derived(store: Store) -> None:
    """The id follows from installation, Mandant, message id and bytes, so that every door finds the same one (G13)."""
    one = eingang()
    [taken] = store.take([one])
    wanted = nachricht_id(INSTALLATION, mandant=one.mandant, message_id=one.message_id, body_sha256=one.body.sha256)

    assert wanted == taken.nachricht_id


def test_the_same_sendung_twice_is_one_nachricht(bench: Bench) -> None:
    """Also after a restart; each repetition is in the audit chain."""
    [first] = bench.open().take([eingang()])
    store = bench.open()
    [second] = store.take([eingang(at=NOW + SECOND)])

    assert (first.nachricht_id, "duplicate") == (second.nachricht_id, second.outcome)
    assert ["intake.taken", "intake.duplicate"] == [e.event.name for e in store.events(first.nachricht_id)]
    assert 1 == len(list(store.find()))


def test_a_batch_has_one_answer_each(store: Store) -> None:
    """Within one batch: new, duplicate and conflict are told apart, in order."""
    answers = store.take(
        [eingang("a", b"1"), eingang("b", b"1"), eingang("a", b"1"), eingang("a", b"2"), eingang("a", b"2")]
    )

    assert ["new", "new", "duplicate", "conflict", "duplicate"] == [answer.outcome for answer in answers]
    assert 3 == len({answer.nachricht_id for answer in answers})


def test_the_same_id_with_other_bytes_is_a_conflict(store: Store) -> None:
    """The second one is parked at once and nothing of it is ever due; the first goes its way."""
    [first] = store.take([eingang("a", b"1")])
    [second] = store.take([eingang("a", b"2")])
    record = store.get(second.nachricht_id)

    assert ("conflict", N.PARKED, "intake.conflict") == (second.outcome, record.state, record.code)
    assert [first.nachricht_id] == [claim.nachricht.id for claim in store.claim("w", NOW, limit=9)]
    [event] = store.events(second.nachricht_id)
    assert [first.nachricht_id] == list(event.event.fields["others"])


def test_a_repetition_in_another_wrapping_is_the_same_nachricht(store: Store) -> None:
    """What decides is `same_sha256` where a door states one; the first bytes stay (OSCI wraps each repetition anew)."""
    [first] = store.take([replace(eingang("a", b"wrapped once"), same_sha256=OUTPUT)])
    [second] = store.take([replace(eingang("a", b"wrapped again"), same_sha256=OUTPUT)])

    assert (first.nachricht_id, "duplicate") == (second.nachricht_id, second.outcome)
    assert b"wrapped once" == store.body(first.nachricht_id).read()


def test_the_same_wrapping_of_something_else_is_a_conflict(store: Store) -> None:
    """Equal bytes under an equal id do not hide that the door tells them apart."""
    store.take([replace(eingang("a", b"1"), same_sha256=OUTPUT)])
    [second] = store.take([replace(eingang("a", b"1"), same_sha256="cd" * 32)])

    assert "conflict" == second.outcome


def test_mandanten_do_not_share_message_ids(store: Store) -> None:
    """The same message id and bytes of two Mandanten are two Nachrichten, and neither finds the other's (T21)."""
    answers = store.take([eingang("a", mandant=mandant) for mandant in MANDANTEN])

    assert ["new", "new"] == [answer.outcome for answer in answers]
    for mandant, answer in zip(MANDANTEN, answers, strict=True):
        assert [answer.nachricht_id] == [one.id for one in store.find_by_message_id(mandant, "a")]


def test_accounts_do_not_share_message_ids(store: Store) -> None:
    """An id is unique for its account: others use it too, conflict with nobody, and find their own; a person finds all."""
    names = ("prt:1", "prt:2", "")
    answers = store.take([replace(eingang("a"), account=name) for name in names])
    again = store.take([replace(eingang("a", body, at=NOW + SECOND), account="prt:1") for body in (b"<Antrag/>", b"2")])

    ids = [answer.nachricht_id for answer in answers]
    assert (["new"] * 3, ["duplicate", "conflict"]) == ([a.outcome for a in answers], [a.outcome for a in again])
    assert [[ids[0], again[1].nachricht_id], [ids[1]], [ids[2]], []] == [
        [found.id for found in store.find_by_message_id(MANDANTEN[0], "a", name)] for name in (*names, "prt:3")
    ]
    assert {*ids, again[1].nachricht_id} == {found.id for found in store.find_by_message_id(MANDANTEN[0], "a")}


def test_a_lying_hash_takes_nothing_of_the_batch(bench: Bench) -> None:
    """Bytes that are not those of the announced hash are refused before anything is committed (T27)."""
    store = bench.open()

    class Lying(MemoryContent):
        def open(self) -> io.BytesIO:
            return io.BytesIO(b"something else")

    one = eingang("a", b"1")
    lie = type(one)(**{**{name: getattr(one, name) for name in one.__slots__}, "body": Lying(b"x"), "message_id": "b"})

    with pytest.raises(Misconfigured, match=r"payload\.corrupt"):
        store.take([one, lie])
    assert [] == list(store.find())
    assert [] == _blobs(bench.data)


def test_an_unknown_mandant_is_not_taken(bench: Bench) -> None:
    """Without a KEK nothing can be wrapped, so nothing is taken and nothing is left behind."""
    store = bench.open()

    with pytest.raises(Misconfigured, match=r"key\.unavailable"):
        store.take([eingang(mandant="nirgendwo")])
    assert [] == _blobs(bench.data)


def test_a_full_disk_takes_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error while the directory is made durable is `store.unavailable`; the sender tries again, no file stays."""
    store = bench.open()

    def fail(_self: Intake) -> None:
        raise Transient("store.unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(Intake, "make_durable", fail)
        with pytest.raises(Transient, match=r"store\.unavailable"):
            store.take([eingang()])

    assert ([], []) == (list(store.find()), _blobs(bench.data))
    assert "new" == store.take([eingang()])[0].outcome


def test_a_crash_before_the_commit_leaves_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes without a row belong to no Nachricht; the next start removes them."""
    store = bench.open()
    _crash_after(monkeypatch, store, "make_durable")

    assert 1 == len(_blobs(bench.data))

    again = bench.open()

    assert ([], []) == (list(again.find()), _blobs(bench.data))


def test_a_crash_right_after_the_commit_loses_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row counts: the body is readable at once where it lies, and moves to its place at the next start (G1)."""
    store = bench.open()
    _crash_after(monkeypatch, store, "commit")
    [record] = store.find()
    [before] = _blobs(bench.data)

    assert b"<Antrag/>" == store.body(record.id).read()

    again = bench.open()
    [after] = _blobs(bench.data)

    assert ("incoming", record.id[:2]) == (before.parent.name, after.parent.name)
    assert b"<Antrag/>" == again.body(record.id).read()


def test_a_start_leaves_a_running_intake_alone(bench: Bench) -> None:
    """While one process is between bytes and commit, another that starts must not remove its blob."""
    store, entered, go_on = bench.open(), threading.Event(), threading.Event()

    class Slow(MemoryContent):
        def open(self) -> io.BytesIO:
            entered.set()
            assert go_on.wait(10)
            return io.BytesIO(self.read())

    one = eingang("b")
    slow = type(one)(**{**{name: getattr(one, name) for name in one.__slots__}, "body": Slow(b"2")})
    worker = threading.Thread(target=store.take, args=([eingang("a"), slow],))
    worker.start()
    assert entered.wait(10)
    other = bench.open()
    go_on.set()
    worker.join(10)

    assert [b"2", b"<Antrag/>"] == sorted(other.body(record.id).read() for record in other.find())


def test_two_doors_take_the_same_sendung(bench: Bench) -> None:
    """Whoever is second is told `duplicate`, and one body remains."""
    stores, answers = [bench.open(), bench.open()], []
    barrier = threading.Barrier(2)

    def take(store: Store) -> None:
        barrier.wait(10)
        answers.extend(store.take([eingang("a", b"1" * 100_000)]))

    workers = [threading.Thread(target=take, args=(store,)) for store in stores]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)

    assert ["duplicate", "new"] == sorted(answer.outcome for answer in answers)
    assert 1 == len(_blobs(bench.data))
    assert b"1" * 100_000 == stores[0].body(answers[0].nachricht_id).read()


def test_nothing_readable_rests(bench: Bench) -> None:
    """No form of body, message id, reply address, correlation id or Vorgang is found in any file under the data."""
    canaries = [f"CANARY-{name}-Erika-Mustermann" for name in ("body", "id", "reply", "correlation", "vorgang")]
    store = bench.open()
    body, message_id, reply_to, correlation_id, vorgang = canaries
    store.take([eingang(message_id, body.encode(), reply_to=reply_to, correlation_id=correlation_id, vorgang=vorgang)])
    resting = b"".join(path.read_bytes() for path in bench.data.rglob("*") if path.is_file())

    assert resting
    for canary in canaries:
        for form in _forms(canary):
            assert form not in resting


def test_everything_is_private(bench: Bench) -> None:
    """Directories 0700, files 0600, whatever the umask (T27)."""
    before = os.umask(0)
    try:
        bench.open().take([eingang()])
    finally:
        os.umask(before)
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in (bench.data, *bench.data.rglob("*"))}

    assert {(True, 0o700), (False, 0o600)} == modes


def test_a_changed_blob_is_never_handed_out(bench: Bench) -> None:
    """A flipped bit and a cut end are `payload.corrupt`, a missing file is told apart: it may come back (F16)."""
    store = bench.open()
    [taken] = store.take([eingang("a", b"x" * 200_000)])
    [blob] = _blobs(bench.data)
    good = blob.read_bytes()
    for bad in (good[:-1], good[:70_000], good[:100] + bytes([good[100] ^ 1]) + good[101:], b""):
        blob.write_bytes(bad)
        with pytest.raises(Misconfigured, match=r"payload\.corrupt"):
            store.body(taken.nachricht_id).read()
    blob.unlink()
    with pytest.raises(Misconfigured, match=r"payload\.missing"):
        store.body(taken.nachricht_id).read()


def _blobs(data: Path) -> list[Path]:
    return [path for path in (data / "blobs").rglob("*") if path.is_file() and path.name != "intake.lock"]


def _forms(text: str) -> list[bytes]:
    raw = text.encode()
    shifted = [base64.b64encode(b"x" * shift + raw)[4:-4] for shift in range(3)]
    return [raw, text.encode("utf-16-le"), text.encode("utf-16-be"), raw.hex().encode(), *shifted]


class _Crash(BaseException):
    """The process is gone: nothing after this runs."""


def _crash_after(monkeypatch: pytest.MonkeyPatch, store: Store, step: str) -> None:
    """Take one Sendung in a process that dies after the bytes are durable, or after the commit."""

    def die(*_args: object) -> None:
        raise _Crash

    with monkeypatch.context() as patched:
        for tidy in ("keep", "drop"):
            patched.setattr(Intake, tidy, die)
        if step == "make_durable":
            patched.setattr(Intake, "make_durable", die)
        with pytest.raises(_Crash):
            store.take([eingang()])
