"""The Merkle log against the definition and against the proofs of RFC 6962."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermediary.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    inclusion_proof_after,
    is_consistent,
    is_included,
    root_of,
)

SIZES = st.integers(1, 70)

RFC_LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
RFC_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
}


def _leaves(count: int) -> list[bytes]:
    return [hashlib.sha256(b"\x00" + str(number).encode()).digest() for number in range(count)]


def _folded(leaves: list[bytes]) -> Frontier:
    frontier = Frontier()
    for leaf in leaves:
        frontier = frontier.append(leaf)
    return frontier


@pytest.mark.parametrize(("size", "root"), RFC_ROOTS.items())
def test_known_roots(size: int, root: str) -> None:
    """The roots that implementations of RFC 6962 share as test vectors."""
    leaves = [hashlib.sha256(b"\x00" + data).digest() for data in RFC_LEAVES[:size]]

    assert root == _folded(leaves).root().hex()


@given(st.integers(0, 70))
def test_folding_equals_the_definition(size: int) -> None:
    """Whatever the size, the frontier has the root of the whole tree."""
    leaves = _leaves(size)
    frontier = _folded(leaves)

    assert (size, root_of(leaves)) == (frontier.size, frontier.root())
    assert len(frontier.peaks) == size.bit_count()


def test_the_empty_tree() -> None:
    """Its root is the hash of nothing."""
    assert hashlib.sha256(b"").digest() == EMPTY_ROOT == Frontier().root()


@given(SIZES, st.integers(0, 69))
def test_inclusion(size: int, index: int) -> None:
    """Every leaf proves its place, and no other leaf, place, root or shortened path passes."""
    leaves, index = _leaves(size), index % size
    proof, root = inclusion_proof(leaves, index), root_of(leaves)

    assert is_included(leaves[index], index=index, size=size, proof=proof, root=root)
    assert not is_included(b"x" * 32, index=index, size=size, proof=proof, root=root)
    assert not is_included(leaves[index], index=index, size=size, proof=proof, root=b"x" * 32)
    assert not is_included(leaves[index], index=size, size=size, proof=proof, root=root)
    assert not is_included(leaves[index], index=index, size=size, proof=(*proof, root), root=root)
    if proof:
        assert not is_included(leaves[index], index=index, size=size, proof=proof[:-1], root=root)


@given(SIZES, st.integers(0, 69), st.integers(0, 69))
def test_a_proof_needs_only_the_last_leaves(size: int, before: int, index: int) -> None:
    """From the frontier of any earlier tree comes the same path as from all leaves."""
    leaves, before = _leaves(size), before % size
    index = before + index % (size - before)
    proof = inclusion_proof_after(_folded(leaves[:before]), leaves[before:], index - before)

    assert inclusion_proof(leaves, index) == proof


@given(SIZES, st.integers(1, 70))
def test_consistency(size: int, first: int) -> None:
    """Every earlier tree proves to be the beginning, and one with a changed leaf does not."""
    leaves, first = _leaves(size), (first - 1) % size + 1
    proof, root, earlier = consistency_proof(leaves, first), root_of(leaves), root_of(leaves[:first])

    assert is_consistent(first=first, first_root=earlier, second=size, second_root=root, proof=proof)
    other = root_of([b"x" * 32, *leaves[1:first]])
    assert not is_consistent(first=first, first_root=other, second=size, second_root=root, proof=proof)
    if proof:
        assert not is_consistent(first=first, first_root=earlier, second=size, second_root=root, proof=proof[:-1])


def test_no_such_place() -> None:
    """Proofs are refused outside the tree."""
    with pytest.raises(IndexError):
        inclusion_proof(_leaves(3), 3)
    for first in (0, 4):
        with pytest.raises(IndexError):
            consistency_proof(_leaves(3), first)
