"""The ContentPackage: what stands in the body, and the MIME parts that belong to it (§8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from intermediary.osci.write.markup import FIVE, element
from intermediary.osci.write.mime import WirePart


class Written(Protocol):
    """Something that can stand in a ContentPackage."""

    def xml(self, namespaces: str = FIVE) -> str:
        """Its XML; without `namespaces` as it is inside a canonical body."""


@dataclass(frozen=True, slots=True)
class Package:
    """What body and MIME parts will carry: one or several containers, open or encrypted, and attachments' wire bytes."""

    container: Written | None
    parts: tuple[WirePart, ...]

    def xml(self, namespaces: str = FIVE) -> str:
        """The ContentPackage; without `namespaces` in the form it has inside a canonical body."""
        return element("osci:ContentPackage", "" if self.container is None else self.container.xml(namespaces))


@dataclass(frozen=True, slots=True)
class Several:
    """Members of a ContentPackage one after the other; the encrypted ones belong first."""

    members: tuple[Written, ...]

    def xml(self, namespaces: str = FIVE) -> str:
        return "".join(member.xml(namespaces) for member in self.members)
