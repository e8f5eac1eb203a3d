"""The verifier finds every manipulation of an export and names the first bad entry (T26)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermediary.audit.chain import START, Entry, Malformed, follow
from intermediary.audit.merkle import Frontier
from intermediary.audit.sealer import Head, seal
from intermediary.audit.verify import Defect, Report, verify
from intermediary.keys.signing import SigningKey, create_signing_key

AT = datetime(2026, 11, 21, tzinfo=UTC)
SIZES = (6, 13, 20)
TAIL = 4
Lines = list[str]


def _log(count: int) -> list[Entry]:
    """Three Nachrichten whose events alternate, numbered up to the last head."""
    ends: dict[str, tuple[int, str]] = {}
    entries = []
    for place in range(count):
        chain = f"n-{place % 3}"
        seq, prev = ends.get(chain, (0, START))
        entry = follow(
            chain=chain,
            seq=seq + 1,
            prev=prev,
            at=AT + timedelta(seconds=place),
            name="nachricht.parked",
            mandant="m",
            fields={"state": "received", "code": f"c-{place}"},
        )
        ends[chain] = (entry.event.seq, entry.digest)
        entries.append(replace(entry, number=place + 1 if place < SIZES[-1] else None))
    return entries


def _heads(entries: list[Entry], key: SigningKey) -> list[Head]:
    heads: list[Head] = []
    frontier = Frontier()
    for size in SIZES:
        digests = [entry.digest for entry in entries[frontier.size : size]]
        last = heads[-1] if heads else None
        sealed = seal(installation="i", last=last, frontier=frontier, digests=digests, at=AT, sign=key.sign)
        heads.append(sealed.head)
        frontier = sealed.frontier
    return heads


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    """The signing key of the installation."""
    return create_signing_key(tmp_path_factory.mktemp("keys") / "key.pem")


@pytest.fixture(scope="module")
def heads(key: SigningKey) -> list[Head]:
    """Three heads, as they were sealed."""
    return _heads(_log(SIZES[-1] + TAIL), key)


LINES = [entry.line() for entry in _log(SIZES[-1] + TAIL)]


def test_an_untouched_export_is_ok(key: SigningKey, heads: list[Head]) -> None:
    """With the extent of what is sealed, and of the tail that is not."""
    report = verify(LINES, heads, [key.public_pem()], second_place=heads)

    assert Report((), events=24, sealed=20, unsealed=4, last_head=20) == report
    assert report.is_ok


MANIPULATIONS: dict[str, tuple[Callable[[Lines], Lines], Defect, int]] = {
    "a field changed": (lambda s: _edit(s, 8, code="other"), Defect.CHANGED, 8),
    "a field of the tail changed": (lambda s: _edit(s, 22, code="other"), Defect.CHANGED, 22),
    "changed with its digest": (lambda s: _edit(s, 8, code="other", is_rehashed=True), Defect.CHAIN_BROKEN, 11),
    "the first deleted": (lambda s: s[1:], Defect.MISSING, 1),
    "one deleted": (lambda s: s[:8] + s[9:], Defect.MISSING, 9),
    "one of the tail deleted": (lambda s: s[:20] + s[21:], Defect.MISSING, 23),
    "two exchanged": (lambda s: [*s[:4], s[5], s[4], *s[6:]], Defect.MISSING, 5),
    "one repeated": (lambda s: s[:5] + s[4:], Defect.REORDERED, 6),
    "a line of something else": (lambda s: [*s[:3], "{}", *s[4:]], Defect.MALFORMED, 4),
}


@pytest.mark.parametrize(("change", "defect", "line"), MANIPULATIONS.values(), ids=MANIPULATIONS)
def test_a_manipulation_is_named(
    key: SigningKey, heads: list[Head], change: Callable[[Lines], Lines], defect: Defect, line: int
) -> None:
    """The first bad entry is named by its line in the export."""
    report = verify(change(list(LINES)), heads, [key.public_pem()])

    assert report.first_bad is not None
    assert (defect, line) == (report.first_bad.defect, report.first_bad.line)


def test_a_rewritten_history_is_found_by_the_root(key: SigningKey, heads: list[Head]) -> None:
    """Whoever recomputes all hashes and chains still cannot sign: the head names the range of the bad entry."""
    forged = _log(SIZES[-1] + TAIL)
    forged = _rechained([replace(one, event=replace(one.event, actor="x")) if n == 9 else one for n, one in
                         enumerate(forged)])  # fmt: skip
    report = verify([one.line() for one in forged], heads, [key.public_pem()])

    assert [(Defect.ROOT_DIFFERS, 7, 13)] == [(one.defect, one.number, one.upto) for one in report.problems]


@pytest.mark.parametrize("left", [0, 6, 10, 19])
def test_a_truncated_log_is_found(key: SigningKey, heads: list[Head], left: int) -> None:
    """Cut off anywhere below the last head; at a head's size too."""
    report = verify(LINES[:left], heads, [key.public_pem()])

    assert [(Defect.TRUNCATED, left + 1)] == [(one.defect, one.number) for one in report.problems]


def test_a_cut_tail_is_found_by_the_ends_of_the_store(key: SigningKey, heads: list[Head]) -> None:
    """Events that no head vouches for yet are missed only by the rows of their Nachrichten."""
    ends = {one.event.chain: (one.event.seq, one.digest) for one in map(Entry.parse, LINES)}
    given = [(chain, seq, digest) for chain, (seq, digest) in ends.items()]
    alone = verify(LINES[:-1], heads, [key.public_pem()])
    compared = verify(LINES[:-1], heads, [key.public_pem()], ends=given)

    assert alone.is_ok
    assert [(Defect.END_DIFFERS, "n-2", 8)] == [(one.defect, one.chain, one.seq) for one in compared.problems]


def test_a_rollback_is_found_by_the_second_place(key: SigningKey, heads: list[Head]) -> None:
    """An older log with its own heads is whole in itself; the newest head elsewhere shows what is gone."""
    older = LINES[:13]

    assert verify(older, heads[:2], [key.public_pem()]).is_ok
    report = verify(older, heads[:2], [key.public_pem()], second_place=heads)
    assert [(Defect.ROLLED_BACK, 14)] == [(one.defect, one.number) for one in report.problems]


def test_a_second_history_is_found_by_the_second_place(key: SigningKey, heads: list[Head]) -> None:
    """Rolled back, continued and signed anew with the right key: the old heads do not fit."""
    entries = _log(SIZES[-1])
    other = _rechained([*entries[:14], *(replace(one, event=replace(one.event, actor="x")) for one in entries[14:])])
    lines, own = [one.line() for one in other], _heads(other, key)

    assert verify(lines, own, [key.public_pem()]).is_ok
    report = verify(lines, own, [key.public_pem()], second_place=heads)
    assert [(Defect.ROLLED_BACK, 14)] == [(one.defect, one.number) for one in report.problems]


def test_heads_are_checked_too(key: SigningKey, heads: list[Head], tmp_path: Path) -> None:
    """A foreign signature, a missing head in between, the last one missing, another installation."""
    stranger = create_signing_key(tmp_path / "other.pem")
    cases = {
        Defect.HEAD_FORGED: _heads(_log(SIZES[-1]), stranger),
        Defect.HEADS_BROKEN: [heads[0], heads[2]],
    }
    for defect, sealed in cases.items():
        report = verify(LINES, sealed, [key.public_pem()])
        assert defect is report.problems[0].defect
    assert [Defect.HEADS_BROKEN] == [one.defect for one in verify(LINES, heads[:2], [key.public_pem()]).problems]
    assert verify(LINES, _heads(_log(24), stranger), [key.public_pem(), stranger.public_pem()]).is_ok


@given(st.integers(0, SIZES[-1] - 1), st.integers(0), st.integers(0, 7))
def test_no_bit_of_a_sealed_line_is_free(key: SigningKey, heads: list[Head], line: int, place: int, bit: int) -> None:
    """Whatever bit of whatever sealed line is flipped, the verifier says so."""
    good = LINES[line].encode()
    place %= len(good)
    bad = good[:place] + bytes([good[place] ^ (1 << bit)]) + good[place + 1 :]
    report = verify([*LINES[:line], bad, *LINES[line + 1 :]], heads, [key.public_pem()])

    assert not report.is_ok


def test_heads_are_read_back(heads: list[Head]) -> None:
    """A line of the second place is the head again; anything else is refused."""
    assert heads == [Head.parse(head.line()) for head in heads]
    for line in ("", "{}", '{"head":{},"signature":""}', heads[0].line().replace('"size":6', '"size":"6"')):
        with pytest.raises(Malformed):
            Head.parse(line)


def _edit(lines: Lines, line: int, *, code: str, is_rehashed: bool = False) -> Lines:
    value = json.loads(lines[line - 1])
    value["event"]["fields"]["code"] = code
    edited = json.dumps(value)
    if is_rehashed:
        entry = Entry.parse(edited)
        edited = replace(entry, digest=entry.event.digest()).line()
    return [*lines[: line - 1], edited, *lines[line:]]


def _rechained(entries: list[Entry]) -> list[Entry]:
    """A forger's work: every link and digest computed anew."""
    ends: dict[str, str] = {}
    forged = []
    for entry in entries:
        event = replace(entry.event, prev=ends.get(entry.event.chain, START))
        ends[event.chain] = event.digest()
        forged.append(replace(entry, event=event, digest=event.digest()))
    return forged
