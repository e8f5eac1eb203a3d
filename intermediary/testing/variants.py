"""Makes valid inputs for any mapping out of its golden ones: parts exchanged, added, left out, doubled, texts made nasty.

What `generate` walks needs a schema it can walk and values somebody lists; here a judge alone decides what is valid, so
any form and any standard will do. Everything is drawn from the `random.Random` that is handed in.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from copy import deepcopy

from lxml import etree

from intermediary.testing.generate import MARKUP, NASTY
from intermediary.xml.parser import Element

_MOST_CHANGES = 5
_MOST_TRIES = 60
_NASTIEST = 40


class Variants:
    """Documents with the root of the samples, no two alike.

    `samples` are valid documents of one root element, `accepts` says whether a changed one is valid too. A part comes from
    the same place of a sample, a text from any field of the same name, or is made up.
    """

    def __init__(self, samples: Sequence[Element], draw: random.Random, *, accepts: Callable[[Element], bool]) -> None:
        self._samples = samples
        self._draw = draw
        self._accepts = accepts
        self._parts: dict[str, list[Element]] = defaultdict(list)
        self._inside: dict[str, list[Element]] = defaultdict(list)
        self._texts: dict[str, list[str]] = defaultdict(list)
        self._seen: set[bytes] = set()
        for sample in samples:
            for one in sample.iter(etree.Element):
                self._parts[_place(one)].append(one)
                self._inside[_place(one).rpartition(" ")[0]].append(one)
                if not len(one):
                    self._texts[str(one.tag)].append(one.text or "")

    def document(self, sample: Element) -> bytes:
        """One more document that began as `sample`; raises `LookupError` when none can be found."""
        tree = sample
        for _ in range(_MOST_TRIES):
            tree = self._changed(tree)
            data: bytes = etree.tostring(tree, xml_declaration=True, encoding="UTF-8")
            if data not in self._seen:
                self._seen.add(data)
                return data
        raise LookupError("every change was refused, or made before")

    def _changed(self, tree: Element) -> Element:
        wanted = self._draw.randint(1, _MOST_CHANGES)
        for _ in range(4 * wanted):
            candidate = deepcopy(tree)
            one = self._draw.choice([*candidate.iter(etree.Element)][1:] or [candidate])
            self._draw.choice((self._exchange, self._bring, self._write, self._write, _leave_out, _double))(one)
            if self._accepts(candidate):
                tree = candidate
                wanted -= 1
            if not wanted:
                break
        return tree

    def _exchange(self, one: Element) -> None:
        """The same part of another sample instead of this one."""
        other = deepcopy(self._draw.choice(self._parts[_place(one)] or [one]))
        other.tail = one.tail
        above = one.getparent()
        if above is not None:
            above.replace(one, other)

    def _bring(self, one: Element) -> None:
        """A part that another sample has in the same group, behind this one."""
        above = one.getparent()
        if above is not None:
            one.addnext(deepcopy(self._draw.choice(self._inside[_place(above)])))

    def _write(self, one: Element) -> None:
        """Another text in a field: of a sample, or one that breaks things."""
        leaves = [leaf for leaf in one.iter(etree.Element) if not len(leaf)]
        if leaves:
            leaf = self._draw.choice(leaves)
            known = self._texts[str(leaf.tag)] or [""]
            leaf.text = self._draw.choice(known) if self._draw.random() < 0.6 else self._made_up(leaf.text or "")

    def _made_up(self, text: str) -> str:
        dice = self._draw.random()
        if dice < 0.2:
            return " " * self._draw.randint(0, 3)
        if dice < 0.4:
            return self._draw.choice(MARKUP)
        letters = "".join(self._draw.choice(NASTY) for _ in range(self._draw.randint(1, _NASTIEST)))
        return f"{text}{letters}" if dice < 0.7 else letters


def _leave_out(one: Element) -> None:
    above = one.getparent()
    if above is not None:
        above.remove(one)


def _double(one: Element) -> None:
    if one.getparent() is not None:
        one.addnext(deepcopy(one))


def _place(one: Element) -> str:
    return " ".join(str(step.tag) for step in (*reversed([*one.iterancestors()]), one))
