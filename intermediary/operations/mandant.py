"""The end of a Mandant, as people order it: who must agree, what stands in the way, and then everything of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256

from intermediary.audit.chain import moment
from intermediary.operations.approvals import Approvals, Consent, Wish
from intermediary.operations.person import Request
from intermediary.operations.retention import told, with_reason
from intermediary.store.errors import NotPossible
from intermediary.store.holds import SingleHold, StandingHold
from intermediary.store.mandants import Cut, Extent, Shown
from intermediary.wiring import Installation

_MOST_NAMED = 15
"""So many held Nachrichten are named to whoever approves; of more of them only the number."""


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
        elif any(one.mandant == self._mandant for one in self._installation.store.retention.holds.standing()):
            found.append(Obstacle("was von ihm noch kommt, ist vor dem Löschen gesperrt (hold list)"))
        channels = [one.name for one in self._installation.settings.channel if self._mandant in one.mandanten]
        if channels:
            found.append(Obstacle(f"der Kanal nimmt noch für ihn an: {', '.join(channels)}"))
        return found

    def carry_out(self, request: Request, *, force: bool) -> Iterator[Cut]:
        """Delete everything there is now, a bounded step at a time; the obstacles and the second person come first.

        With force the holds that are there now are lifted. What comes in later is left, and a hold that is set later stops
        it, whoever forces it: nothing that it keeps is erased, nor anything else after it.
        `NotPossible` names the obstacles, or says why it stopped or what was left: then the same is asked for again.
        Consumed to its end, or begun anew.
        """
        shown, obstacles = self._mandants.shown(self._mandant), self.obstacles()
        if obstacles and not force:
            raise NotPossible("; ".join(one.what for one in obstacles))
        consent = self._approvals.demand(self._wish(shown, obstacles, force=force), request)
        return self._cuts(shown, consent, request, force=force)

    def _wish(self, shown: Shown, obstacles: list[Obstacle], *, force: bool) -> Wish:
        """The Nachrichten and the holds by name or hash: one more of either is another wish."""
        held: list[SingleHold | StandingHold] = [*shown.standing, *self._single(shown)]
        holds = [told(one) for one in held]
        asked = {
            "mandant": self._mandant,
            "force": force,
            "nachrichten": counted(shown.ids),
            "held": counted(f"{one} {moment(since)}" for one, since in shown.single.items()),
            "holds": holds,
        }
        head = f"alles von {self._mandant} wird unwiederbringlich gelöscht"
        ends = (f"aufgehoben wird: {one}" for one in holds)
        lines = (head, *(one.what for one in obstacles), *ends)
        return Wish("mandant-delete", asked, count=len(shown.ids), lines=lines)

    def _single(self, shown: Shown) -> Iterator[SingleHold]:
        """The longest held ones, with their reasons."""
        oldest = sorted(shown.single, key=lambda one: (shown.single[one], one))[:_MOST_NAMED]
        store = self._installation.store
        return with_reason(store, (store.get(one) for one in oldest))

    def _cuts(self, shown: Shown, consent: Consent, request: Request, *, force: bool) -> Iterator[Cut]:
        try:
            yield from self._all_cuts(shown, consent, request, force=force)
        finally:  # however it ends: the engine's own files hold no key of what is erased
            self._installation.store.retention.tidy()

    def _all_cuts(self, shown: Shown, consent: Consent, request: Request, *, force: bool) -> Iterator[Cut]:
        who, now = {"actor": request.actor, "reason": request.reason}, self._installation.now
        busy = reduced = 0
        try:
            self._mandants.order(shown, is_forced=force, **who, now=now())
            for cut in self._mandants.reduce(shown, **who, now=now(), approved=consent.names):
                busy, reduced = busy + cut.busy, reduced + cut.reduced
                yield cut
            if not busy:
                self._mandants.finish(self._mandant, **who, now=now())
        except NotPossible as refusal:
            raise NotPossible(f"{refusal}; bis dahin gelöscht: {reduced or 'keine'} Nachrichten") from refusal
        if busy:
            raise NotPossible(
                f"{busy} Nachrichten werden gerade bearbeitet: alles andere ist gelöscht, noch einmal rufen"
            )


def counted(names: Iterable[str]) -> str:
    """How many, and which: the same text for the same ones only."""
    found = sorted(names)
    return f"{len(found)} (sha256 {sha256(' '.join(found).encode()).hexdigest()})" if found else "0"


def demand_known(installation: Installation, mandant: str) -> None:
    """`NotPossible` when neither the settings nor any Nachricht know a Mandant of this name."""
    known = [one.name for one in installation.settings.mandant]
    if mandant in known or installation.store.retention.mandants.extent(mandant).nachrichten:
        return
    near = get_close_matches(mandant, known, n=1)
    raise NotPossible(f'there is no Mandant "{mandant}"' + (f'; did you mean "{near[0]}"?' if near else ""))
