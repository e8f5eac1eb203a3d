"""The Merkle tree of the audit log: RFC 6962 chapter 2.1, with leaf hashes as input.

A leaf hash is SHA-256(0x00 ‖ canonical event), an inner node SHA-256(0x01 ‖ left ‖ right).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

EMPTY_ROOT = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """What is needed to append to a tree: the roots of its full subtrees, largest first. At most 64 hashes."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> Frontier:
        """The frontier after one more leaf."""
        peaks, rest = list(self.peaks), self.size
        while rest & 1:
            leaf = inner(peaks.pop(), leaf)
            rest >>= 1
        return Frontier(self.size + 1, (*peaks, leaf))

    def root(self) -> bytes:
        """The root over everything appended so far."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = inner(peak, root)
        return root


def inner(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over all leaves, straight from the definition."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return inner(root_of(leaves[:split]), root_of(leaves[split:]))


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The path that proves `leaves[index]` (from 0) to be part of the tree over `leaves`, from the leaf upwards."""
    if not 0 <= index < len(leaves):
        raise IndexError("no such leaf")
    if len(leaves) == 1:
        return ()
    split = _split(len(leaves))
    if index < split:
        return (*inclusion_proof(leaves[:split], index), root_of(leaves[split:]))
    return (*inclusion_proof(leaves[split:], index - split), root_of(leaves[:split]))


def inclusion_proof_after(before: Frontier, leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The path of `leaves[index]` in the tree that appends `leaves` to `before`; costs nothing for what is before.

    A subtree that lies wholly before, beside a path that does not, is one of the peaks.
    """
    if not 0 <= index < len(leaves):
        raise IndexError("no such leaf")
    begin, peaks = 0, {}
    for peak, bit in zip(before.peaks, _bits(before.size), strict=True):
        peaks[begin, begin + bit] = peak
        begin += bit

    def root(low: int, high: int) -> bytes:
        if low >= before.size:
            return root_of(leaves[low - before.size : high - before.size])
        if high <= before.size:
            return peaks[low, high]
        split = low + _split(high - low)
        return inner(root(low, split), root(split, high))

    def path(low: int, high: int, place: int) -> tuple[bytes, ...]:
        if high - low == 1:
            return ()
        split = low + _split(high - low)
        if place < split:
            return (*path(low, split, place), root(split, high))
        return (*path(split, high, place), root(low, split))

    return path(0, before.size + len(leaves), before.size + index)


def is_included(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that `leaf` is number `index` (from 0) of the tree of `size` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, current = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            current = inner(step, current)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            current = inner(current, step)
        position, last = position >> 1, last >> 1
    return last == 0 and current == root


def consistency_proof(leaves: Sequence[bytes], first: int) -> tuple[bytes, ...]:
    """The proof that the tree over the first `first` leaves is the beginning of the tree over all of them."""
    if not 0 < first <= len(leaves):
        raise IndexError("no such tree")
    return _consistency(leaves, first, is_whole=True)


def is_consistent(*, first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the larger tree continues the smaller one (RFC 9162, 2.1.4.2)."""
    if first == second:
        return not proof and first_root == second_root
    if not 0 < first < second:
        return False
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = inner(step, old), inner(step, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = inner(new, step)
        position, last = position >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _consistency(leaves: Sequence[bytes], first: int, *, is_whole: bool) -> tuple[bytes, ...]:
    if first == len(leaves):
        return () if is_whole else (root_of(leaves),)
    split = _split(len(leaves))
    if first <= split:
        return (*_consistency(leaves[:split], first, is_whole=is_whole), root_of(leaves[split:]))
    return (*_consistency(leaves[split:], first - split, is_whole=False), root_of(leaves[:split]))


def _bits(size: int) -> list[int]:
    """The powers of two that make up `size`, largest first."""
    return [1 << place for place in reversed(range(size.bit_length())) if size >> place & 1]


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)
