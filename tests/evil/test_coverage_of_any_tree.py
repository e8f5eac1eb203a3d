"""Coverage in container trees of any shape: what unseal says is what the tree was built with (threat T5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from intermediary.core.values import Opened, Part
from intermediary.osci.write import Attachment, Letter, Parties
from intermediary.osci.write.content import Container, Content, EncryptedContainer
from intermediary.testing.pki import Pki
from intermediary.unseal.require import missing
from tests.evil.forger import PSS, Forger, Holder, Loose, Several, Written, box, delivered

LETTER = Letter(message_id="urn:osci:beispiel:4712", contents=(b"x",), content_signatures=(PSS, PSS))
PDF = Attachment("anlage.pdf", "application/pdf", b"%PDF-1.4")
TRUSTED_AUTHOR, STRANGER = 0, 1


@dataclass(frozen=True)
class Plan:
    """One container to be built: who signs it, whether it has an Id, and what is in it."""

    author: int | None
    has_id: bool
    refers: bool
    nested: tuple[Plan, ...] = ()
    sealed: tuple[Plan, ...] = ()

    def refers_somewhere(self) -> bool:
        return self.refers or any(one.refers_somewhere() for one in self.nested)


def _plans(inside: st.SearchStrategy[Plan] | None = None) -> st.SearchStrategy[Plan]:
    some = st.just(()) if inside is None else st.lists(inside, max_size=2).map(tuple)
    author = st.sampled_from([None, TRUSTED_AUTHOR, STRANGER])
    return st.builds(Plan, author, st.booleans(), st.booleans(), some, some)


PLANS = st.lists(_plans(_plans(_plans())), min_size=1, max_size=3)


@dataclass
class Builder:
    """Builds the plans, and keeps for every content and attachment reference whether the trusted author covers it."""

    forger: Forger
    expected: dict[bytes, bool] = field(default_factory=dict)
    references: list[bool] = field(default_factory=list)

    def build(
        self, plan: Plan, numbers: Iterator[int], *, text: bool, enclosed: bool, depth: int = 0
    ) -> Container | Loose:
        """A container; `numbers` start anew in every document, so that ids repeat between documents."""
        # The writer signs no encrypted part, so a signature beside one is incomplete and must not count.
        own = plan.author == TRUSTED_AUTHOR and not plan.sealed
        text, enclosed = text or own, enclosed or own
        data = f"<antrag>{len(self.expected)}</antrag>".encode()
        self.expected[data] = text
        contents: list[Content | Holder] = [Content(f"c{next(numbers)}", data)]
        if plan.refers and not depth:
            self.references.append(enclosed)
            contents.append(Content(f"c{next(numbers)}", attachment=PDF.name))
        for one in plan.nested:
            inner = self.build(one, numbers, text=text, enclosed=enclosed, depth=depth)
            contents.append(Holder(f"c{next(numbers)}", inner))
        made = box(f"box{next(numbers)}", *contents)
        if plan.author is not None:
            refers = plan.refers_somewhere() and not depth
            made = self.forger.sign(replace(made, attachments=(PDF,) if refers else ()), author=plan.author)
        made = replace(made, keys=tuple(self._sealed(one, numbers, text, depth).xml("") for one in plan.sealed))
        return made if plan.has_id else Loose(made)

    def _sealed(self, plan: Plan, numbers: Iterator[int], text: bool, depth: int) -> EncryptedContainer | Loose:
        inner = self.build(plan, count(), text=text, enclosed=False, depth=depth + 1)
        made = self.forger.encrypt(inner)
        return replace(made, id=f"enc{next(numbers)}") if plan.has_id else Loose(made)


@settings(max_examples=60, deadline=None)
@given(plans=PLANS)
def test_coverage_is_that_of_the_tree(plans: list[Plan], pki: Pki, parties: Parties) -> None:
    """Each content and attachment counts as signed exactly if the trusted author's signature encloses it everywhere."""
    builder, numbers = Builder(Forger(LETTER, parties)), count()
    members = tuple(builder.build(plan, numbers, text=False, enclosed=False) for plan in plans)
    attached = Forger(replace(LETTER, content_cipher=None), parties).pack(box("any"), PDF)
    parts = attached.parts if builder.references else ()
    result = delivered(Written(Several(members), replace(attached, parts=parts)), LETTER, pki, parties)

    assert {part.content.read(): counts(part, result) for part in result.contents} == builder.expected
    assert [counts(part, result) for part in result.attachments] == [all(builder.references)][: len(parts)]
    assert len({part.place for part in result.contents}) == len(builder.expected)


def counts(part: Part, result: Opened) -> bool:
    """Whether a message with this part alone would meet the strictest demand."""
    return missing(replace(result, contents=(part,), attachments=()), ("content-signature", "trusted")) == ()
