"""What must hold of every installed mapping, until two hundred changed inputs are accepted; none is named here."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from intermediary.core.faults import Rejected
from intermediary.core.values import Ausgabe, MemoryContent, Part
from intermediary.operations.mapping_places import Place, places
from intermediary.testing.golden import Case, antrag_of, cases_in
from intermediary.testing.proof import Proof, prove
from intermediary.testing.variants import Variants
from intermediary.validate.catalogue import Catalogue
from intermediary.xml.parser import Element

SEED = 20261122
OUTPUTS = 200
MOST_INPUTS = 1000
TYPES = ("application/pdf", "image/jpeg", "application/x-unheard-of", "", "text/plain; charset=utf-8", "no type\n")
NAMES = ("Scan 1.pdf", "", "..\\..\\x", "a\u0000b\u001f.pdf", "\u202egpj.exe", "ü" * 400)
INSTALLED = places(())


@pytest.mark.parametrize("place", INSTALLED, ids=lambda place: place.name)
def test_generated_inputs(
    place: Place, shared: Path, official: Catalogue, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """Each output is valid, whole, repeats, and has true origins; each refusal is one that the README explains."""
    readme = (place.folder / "README.md").read_text(encoding="utf-8")
    draw = random.Random(SEED)
    seen: Counter[str] = Counter()
    rules: set[str] = set()
    for number, (case, payload) in enumerate(_inputs(place, draw, official)):
        proof = _proved(place, case, payload, number, draw, official)
        rules |= proof.rules
        seen.update(("refused",) if isinstance(proof.outcome, Rejected) else ("accepted",))
        seen["leaves"] += len(proof.outcome.herkunft) if isinstance(proof.outcome, Ausgabe) else 0

        assert () == proof.flaws, (case.name, number)
        if seen["accepted"] == OUTPUTS:
            break
    record_testsuite_property(place.name, f"{dict(seen)}, {len(rules)} rules")

    assert OUTPUTS == seen["accepted"]
    assert [] == sorted(rule for rule in rules if f"`{rule}`" not in readme)


def _proved(place: Place, case: Case, payload: bytes, number: int, draw: random.Random, official: Catalogue) -> Proof:
    """The case with another payload, at another moment, at times corrected, a test, or with other files."""
    kontext = dataclasses.replace(
        case.kontext,
        key=f"e{number:07x}-0000-4000-8000-000000000000",
        received_at=case.kontext.received_at + timedelta(hours=47 * number, milliseconds=number),
        revision=draw.choice((0, 0, 0, 1, 2)),
        is_test=draw.random() < 0.1,
    )
    return prove(place.mapping, antrag_of(payload, tuple(_attachments(case, draw))), kontext, official)


def _inputs(place: Place, draw: random.Random, official: Catalogue) -> Iterator[tuple[Case, bytes]]:
    """Payloads that the schemas of their root find valid, made from those cases whose settings serve."""
    by_root: dict[str, list[tuple[Case, Element]]] = defaultdict(list)
    for case in cases_in(place.folder / "golden"):
        if case.expect != "waits" and official.validate(case.antrag.tree).is_valid:
            by_root[str(case.antrag.tree.tag)].append((case, case.antrag.tree))
    samples = [(case, tree) for found in by_root.values() for case, tree in found]
    assert samples
    makers = {
        root: Variants([tree for _, tree in found], draw, accepts=lambda tree: official.validate(tree).is_valid)
        for root, found in by_root.items()
    }
    for number in range(MOST_INPUTS):
        case, tree = samples[number % len(samples)]
        yield case, makers[str(tree.tag)].document(tree)


def _attachments(case: Case, draw: random.Random) -> Iterator[Part]:
    """Those of the case, seldom not all, and files that nobody expects."""
    yield from (part for part in case.antrag.attachments if draw.random() < 0.97)
    for _ in range(draw.choice((0, 0, 1, 3))):
        content = MemoryContent(draw.randbytes(draw.randint(0, 99)))
        yield Part(draw.choice(NAMES), draw.choice(TYPES), "attachment", content)
