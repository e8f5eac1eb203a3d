"""A value that knows where it came from: what mappings hand from the accessor to the builder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from intermediary.core.ports import Kontext

T = TypeVar("T")
U = TypeVar("U")
Kind = Literal["input", "rule", "constant", "codelist", "metadata", "derived"]


@dataclass(frozen=True, slots=True)
class Sourced(Generic[T]):
    """A value with its provenance; the builder takes nothing else, so no leaf of an output is without an origin.

    `kind` and `source` become the `Herkunft` of the leaf. The value is citizens' data and stays out of the repr.
    """

    value: T = field(repr=False)
    kind: Kind
    source: str = ""

    def by(self, rule: str, change: Callable[[T], U]) -> Sourced[U]:
        """The value after the named rule changed it; the provenance names the rule and what it was applied to."""
        return Sourced(change(self.value), "rule", f"{rule}({self.source})")


@dataclass(frozen=True, slots=True)
class Code:
    """A code with its list: xÖV codes mean something only together with list URI and version (xoev-digest §3)."""

    code: Sourced[str]
    list_uri: str
    version: str


def constant(value: T) -> Sourced[T]:
    """A value that is the same for every Antrag."""
    return Sourced(value, "constant")


def metadata(value: T, source: str) -> Sourced[T]:
    """A value from the Kontext or from what travelled with the payload; `source` is its dotted name."""
    return Sourced(value, "metadata", source)


def derived(kontext: Kontext, path: str) -> Sourced[str]:
    """The UUID of the output object at `path`: the same for every retry."""
    return Sourced(kontext.id_for(path), "derived", f"id_for({path})")


def rule(name: str, value: T, *inputs: Sourced[Any]) -> Sourced[T]:
    """A value that the named rule chose or made, looking at `inputs`."""
    looked_at = ", ".join(one.source for one in inputs if one.source)
    return Sourced(value, "rule", f"{name}({looked_at})" if looked_at else name)


def codelist(list_uri: str, version: str, code: str) -> Code:
    """A fixed code of a list."""
    return Code(Sourced(code, "codelist", f"{list_uri}_{version}"), list_uri, version)
