"""A header block: its Id, and its XML in the form that is both written and digested (§6)."""

from __future__ import annotations

from dataclasses import dataclass, field

from intermediary.osci.write.markup import FIVE, element

NEXT = "http://schemas.xmlsoap.org/soap/actor/next"
NONE = "http://www.w3.org/2001/12/soap-envelope/actor/none"


@dataclass(frozen=True, slots=True)
class Block:
    """A header block as written, which is also its canonical form."""

    id: str
    xml: str = field(repr=False)


def block(
    name: str,
    block_id: str,
    inside: str = "",
    *,
    before: str = "",
    after: str = "",
    actor: str = NEXT,
    namespaces: str = FIVE,
) -> Block:
    """A block of OSCI; `before` and `after` are the attributes that sort before and after Id."""
    attributes = f'{namespaces}{before} Id="{block_id}"{after} soap:actor="{actor}" soap:mustUnderstand="1"'
    return Block(block_id, element(name, inside, attributes))
