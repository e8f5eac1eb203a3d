"""The end of a Mandant, as people order it: who must agree, what stands in the way, and then everything of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from intermediary.operations.approvals import Approvals, Wish
from intermediary.operations.person import Request
from intermediary.store.errors import NotPossible
from intermediary.store.mandants import Cut, Extent
from intermediary.wiring import Installation


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a Mandant is not deleted without force; German, for the person who asked."""

    what: str


class Deletion:
    """Deletes one Mandant of an installation. `NotPossible` when nobody knows the name."""

    def __init__(self, installation: Installation, mandant: str, *, approvals: Approvals) -> None:
        self._installation = installation
        self._mandants = installation.store.retention.mandants
        self._mandant = mandant
        self._approvals = approvals
        demand_known(installation, mandant)

    def extent(self) -> Extent:
        """What there is of it."""
        return self._mandants.extent(self._mandant)

    def obstacles(self) -> list[Obstacle]:
        """What has to be ended first, unless it is forced: open Nachrichten, holds, channels that still take."""
        found, extent = [], self.extent()
        if extent.open:
            found.append(Obstacle(f"{extent.open} Nachrichten sind noch nicht abgeschlossen"))
        held = self._installation.store.retention.holds.count(self._mandant)
        if held:
            found.append(Obstacle(f"{held} Nachrichten sind vor dem Löschen gesperrt (hold list)"))
        channels = [one.name for one in self._installation.settings.channel if self._mandant in one.mandanten]
        if channels:
            found.append(Obstacle(f"der Kanal nimmt noch für ihn an: {', '.join(channels)}"))
        return found

    def carry_out(self, request: Request, *, force: bool) -> Iterator[Cut]:
        """Delete everything, a bounded step at a time; the obstacles and the second person come first.

        `NotPossible` names the obstacles, or says at the end that some Nachrichten were in somebody's hands: then the same
        is asked for again. Consumed to its end, or begun anew.
        """
        obstacles = self.obstacles()
        if obstacles and not force:
            raise NotPossible("; ".join(one.what for one in obstacles))
        extent = self.extent()
        lines = (f"alles von {self._mandant} wird unwiederbringlich gelöscht", *(one.what for one in obstacles))
        wish = Wish("mandant-delete", {"mandant": self._mandant, "force": force}, count=extent.nachrichten, lines=lines)
        self._approvals.demand(wish, request)
        return self._cuts(request, force=force)

    def _cuts(self, request: Request, *, force: bool) -> Iterator[Cut]:
        who, now = {"actor": request.actor, "reason": request.reason}, self._installation.now
        self._mandants.order(self._mandant, is_forced=force, **who, now=now())
        busy = 0
        for cut in self._mandants.reduce(self._mandant, **who, now=now()):
            busy += cut.busy
            yield cut
        if busy:
            raise NotPossible(
                f"{busy} Nachrichten werden gerade bearbeitet: alles andere ist gelöscht, noch einmal rufen"
            )
        self._mandants.finish(self._mandant, **who, now=now())
        self._installation.store.retention.tidy()


def demand_known(installation: Installation, mandant: str) -> None:
    """`NotPossible` when neither the settings nor any Nachricht know a Mandant of this name."""
    known = [one.name for one in installation.settings.mandant]
    if mandant in known or installation.store.retention.mandants.extent(mandant).nachrichten:
        return
    near = get_close_matches(mandant, known, n=1)
    raise NotPossible(f'there is no Mandant "{mandant}"' + (f'; did you mean "{near[0]}"?' if near else ""))
