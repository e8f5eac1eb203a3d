"""The offline verifier: is this export complete and unchanged, and if not, which entry is the first bad one?

Nothing but the export, the heads and the public key is needed; `docs/reference/audit-format.md` says enough to write
another one.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from intermediary.audit.chain import START, Entry, Malformed, canonical, moment
from intermediary.audit.merkle import Frontier
from intermediary.audit.sealer import Head


class Defect(StrEnum):
    """What is wrong with an entry or a head."""

    MALFORMED = "malformed"
    CHANGED = "changed"
    MISSING = "missing"
    REORDERED = "reordered"
    CHAIN_BROKEN = "chain-broken"
    ROOT_DIFFERS = "root-differs"
    TRUNCATED = "truncated"
    HEAD_FORGED = "head-forged"
    HEADS_BROKEN = "heads-broken"
    ROLLED_BACK = "rolled-back"
    END_DIFFERS = "end-differs"
    ROW_DIFFERS = "row-differs"
    ROW_MISSING = "row-missing"
    KEY_UNKNOWN = "key-unknown"
    KEY_UNANNOUNCED = "key-unannounced"
    SECOND_PLACE_MISSING = "second-place-missing"
    SECOND_PLACE_BEHIND = "second-place-behind"

    @property
    def is_uncompared(self) -> bool:
        """Whether nothing was found wrong, but a rollback could not have been found either."""
        return self in (Defect.SECOND_PLACE_MISSING, Defect.SECOND_PLACE_BEHIND)


@dataclass(frozen=True, slots=True)
class Problem:
    """One defect and its place: line of the export (from 1), number in the log, chain and position in it, as known.

    With `upto`, the bad entry is one of the numbers from `number` to `upto`: all that a root can tell. `what` names the
    column of a row, or the key of a head.
    """

    defect: Defect
    line: int | None = None
    number: int | None = None
    chain: str = ""
    seq: int | None = None
    upto: int | None = None
    what: str = ""


@dataclass(frozen=True, slots=True)
class Restored:
    """What the trail itself says of a restore: from a backup that reached to `size`; up to `lost_to` is lost.

    `lost_head` is the digest of the last head of what is lost, `lost_until` its moment, `at` the moment of the restore.
    """

    at: datetime
    backup: str
    size: int
    lost_to: int
    lost_head: str
    lost_until: str

    def explains(self, head: Head) -> bool:
        """Whether this head, kept elsewhere, belongs to what was lost then."""
        is_within = self.size < head.size <= self.lost_to and moment(head.at) <= self.lost_until
        return is_within and (head.size < self.lost_to or head.digest() == self.lost_head)


@dataclass(frozen=True, slots=True)
class Report:
    """The result; `first_bad` names the first bad entry, or the first bad head when all entries are good.

    `sealed` entries are vouched for by signed heads up to `last_head`; the `unsealed` tail only by its chains. `restored`
    are the restores that the trail tells of: heads of what was lost then are no problem, and no secret either.
    """

    problems: tuple[Problem, ...]
    events: int
    sealed: int
    unsealed: int
    last_head: int
    restored: tuple[Restored, ...] = ()

    @property
    def is_ok(self) -> bool:
        return not self.problems

    @property
    def first_bad(self) -> Problem | None:
        return next((one for one in self.problems if one.line is not None), next(iter(self.problems), None))


_MOST = 100
KEY_CHANGED = "audit.key-changed"
RESTORED = "backup.restored"


def restored_statement(installation: str, fields: Mapping[str, Any]) -> bytes:
    """What the key of the installation signs of `backup.restored`: whoever only writes into the database cannot say it."""
    told = {name: value for name, value in fields.items() if name != "signature"}
    return canonical({"installation": installation, "restored": told})


def verify(
    lines: Iterable[str | bytes],
    heads: Sequence[Head],
    public_keys: Sequence[bytes],
    *,
    second_place: Sequence[Head] = (),
    ends: Iterable[tuple[str, int, str]] | None = None,
) -> Report:
    """Verify an export (its lines in order) against the signed heads beside it.

    `public_keys` are the PEM public keys of the installation, the present one and earlier ones. `second_place` are the
    heads kept elsewhere: only they show that the whole log, heads included, was rolled back or rewritten. `ends` are
    (chain, number of events, last digest) from a live store: they show events cut off the unsealed tail. At most 100
    problems are collected.
    """
    check = _Check(public_keys)
    check.read_heads(heads, second_place)
    for number, line in enumerate(lines, start=1):
        check.read_line(number, line)
    check.finish(ends)
    return check.report()


class _Check:
    def __init__(self, public_keys: Sequence[bytes]) -> None:
        self._keys = {fingerprint(pem): _public_key(pem) for pem in public_keys}
        self._signers: list[tuple[int, str]] = []
        self._unsigned: list[int] = []
        self._announced: list[tuple[int, str, str]] = []
        self._problems: list[Problem] = []
        self._roots: dict[int, set[tuple[str, bool]]] = {}
        self._sizes: list[int] = []
        self._chains: dict[str, tuple[int, str]] = {}
        self._frontier = Frontier()
        self._good_size = 0
        self._last_own = 0
        self._lost: tuple[int, Problem] | None = None
        self._elsewhere: dict[int, list[Head]] = {}
        self._strangers: list[tuple[int, Head]] = []
        self._restored: list[Restored] = []
        self._events = 0
        self._unsealed = 0

    def read_heads(self, heads: Sequence[Head], second_place: Sequence[Head]) -> None:
        previous = START
        for head in sorted(heads, key=lambda one: one.size):
            signer = self._signer(head)
            if signer is None:
                self._unsigned.append(head.size)
            else:
                self._signers.append((head.size, signer))
                self._roots.setdefault(head.size, set()).add((head.root, False))
            if head.previous != previous or head.installation != heads[0].installation:
                self._add(Problem(Defect.HEADS_BROKEN, number=head.size))
            previous = head.digest()
            self._last_own = head.size
        for head in second_place:
            if self._signer(head) is not None:
                self._roots.setdefault(head.size, set()).add((head.root, True))
                self._elsewhere.setdefault(head.size, []).append(head)
            elif head.size not in self._unsigned:
                self._unsigned.append(head.size)
        self._sizes = sorted(self._roots)

    def read_line(self, number: int, line: str | bytes) -> None:
        try:
            entry = Entry.parse(line)
        except Malformed:
            self._add(Problem(Defect.MALFORMED, line=number))
            return
        self._events += 1
        digest = entry.event.digest()
        place = Problem(Defect.CHANGED, number, entry.number, entry.event.chain, entry.event.seq)
        self._check_entry(place, entry, digest)
        self._check_place(place, entry, digest)

    def finish(self, ends: Iterable[tuple[str, int, str]] | None) -> None:
        self._check_keys()
        self._judge_strangers()
        missing = [size for size in self._sizes if size > self._frontier.size and not self._is_explained(size)]
        for size in missing[:1]:
            only_elsewhere = all(is_second for _root, is_second in self._roots[size])
            defect = Defect.ROLLED_BACK if only_elsewhere else Defect.TRUNCATED
            self._add(Problem(defect, number=self._frontier.size + 1))
        if self._frontier.size > self._last_own:
            self._add(Problem(Defect.HEADS_BROKEN, number=self._last_own + 1))
        for chain, length, digest in ends or ():
            if self._chains.get(chain, (0, START)) != (length, digest):
                self._add(Problem(Defect.END_DIFFERS, chain=chain, seq=length))

    def report(self) -> Report:
        return Report(
            problems=tuple(self._problems),
            events=self._events,
            sealed=self._frontier.size,
            unsealed=self._unsealed,
            last_head=self._good_size,
            restored=tuple(self._restored),
        )

    def _check_entry(self, place: Problem, entry: Entry, digest: str) -> None:
        """The entry by itself, and against the one before it in its chain."""
        event = entry.event
        if digest != entry.digest:
            self._add(place)
        seq, before = self._chains.get(event.chain, (0, START))
        if event.seq != seq + 1:
            self._add(replace(place, defect=Defect.MISSING if event.seq > seq + 1 else Defect.REORDERED))
        elif event.prev != before:
            self._add(replace(place, defect=Defect.CHAIN_BROKEN))
        self._chains[event.chain] = (event.seq, digest)

    def _check_place(self, place: Problem, entry: Entry, digest: str) -> None:
        """The entry's place in the log; at the size of a head, the root."""
        expected = self._frontier.size + 1
        if entry.number is None:
            self._unsealed += 1
            return
        if self._unsealed or entry.number != expected:
            is_gap = not self._unsealed and entry.number > expected
            self._add(replace(place, defect=Defect.MISSING if is_gap else Defect.REORDERED))
        if entry.event.name == KEY_CHANGED:
            fields = entry.event.fields
            self._announced.append((expected, str(fields.get("old_key")), str(fields.get("new_key"))))
        self._note_restore(entry)
        self._frontier = self._frontier.append(bytes.fromhex(digest))
        self._check_root()

    def _check_root(self) -> None:
        """The root at a head: ours must be the same; one that is only kept elsewhere may be of what a restore lost."""
        size = self._frontier.size
        roots = self._roots.get(size)
        if roots is None or self._lost is not None:
            return
        found = self._frontier.root().hex()
        own = {root for root, is_second in roots if not is_second}
        if not own <= {found}:
            self._lost = (size, Problem(Defect.ROOT_DIFFERS, number=self._good_size + 1, upto=size))
            return
        strange = [head for head in self._elsewhere.get(size, ()) if head.root != found]
        self._strangers += [(self._good_size, head) for head in strange]
        if own or not strange:
            self._good_size = size

    def _judge_strangers(self) -> None:
        """The first root that is wrong: ours, or one kept elsewhere that no restore explains."""
        for good, head in self._strangers:
            is_first = self._lost is None or head.size < self._lost[0]
            if is_first and not any(one.explains(head) for one in self._restored):
                self._lost = (head.size, Problem(Defect.ROLLED_BACK, number=good + 1, upto=head.size))
                self._good_size = good
        if self._lost is not None:
            self._add(self._lost[1])

    def _is_explained(self, size: int) -> bool:
        own = any(not is_second for _root, is_second in self._roots[size])
        heads = self._elsewhere.get(size, ())
        return not own and all(any(one.explains(head) for one in self._restored) for head in heads)

    def _note_restore(self, entry: Entry) -> None:
        if entry.event.name != RESTORED:
            return
        with suppress(LookupError, TypeError, ValueError):
            told = entry.event.fields
            if not self._is_stated(restored_statement(entry.event.chain, told), str(told["signature"])):
                return
            size, lost_to = int(told["size"]), int(told["lost_to"])
            texts = (str(told[name]) for name in ("lost_head", "lost_until"))
            self._restored.append(Restored(entry.event.at, str(told["backup"]), size, lost_to, *texts))

    def _is_stated(self, statement: bytes, signature: str) -> bool:
        for key in self._keys.values():
            with suppress(InvalidSignature):
                key.verify(base64.b64decode(signature), statement)
                return True
        return False

    def _check_keys(self) -> None:
        """Signatures nobody knows, and changes of the key that the old one did not announce (docs: audit-format)."""
        announced = {one for _number, *pair in self._announced for one in pair}
        missing = ", ".join(sorted(announced - self._keys.keys()))
        for size in sorted(self._unsigned):
            defect = Defect.KEY_UNKNOWN if missing else Defect.HEAD_FORGED
            self._add(Problem(defect, number=size, what=missing))
        for (before, old), (size, new) in pairwise(self._signers):
            is_told = any(number <= before and (old, new) == (one, other) for number, one, other in self._announced)
            if old != new and not is_told:
                self._add(Problem(Defect.KEY_UNANNOUNCED, number=size, what=new))

    def _signer(self, head: Head) -> str | None:
        for name, key in self._keys.items():
            try:
                key.verify(head.signature, head.signed())
            except InvalidSignature:
                continue
            return name
        return None

    def _add(self, problem: Problem) -> None:
        if len(self._problems) < _MOST:
            self._problems.append(problem)


def fingerprint(pem: bytes) -> str:
    """SHA-256 of the DER form of a public key: how events and dossiers name it."""
    return hashlib.sha256(_public_key(pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _public_key(pem: bytes) -> Ed25519PublicKey:
    key = load_pem_public_key(pem)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("the key of the audit log is an Ed25519 key")
    return key
