"""Whether a daemon lives and can take, judged from what its processes say; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from intermediary.core.bulletin import Bulletin, ChannelBulletin, Obstacle
from intermediary.core.codes import CATALOGUE

NO_INGRESS = (
    "Der Prozess der Annahme läuft zurzeit nicht: Er startet gerade, oder er endet immer wieder (`child.died`)."
)
_STATES = {
    "closed": "Die Tür ist zu.",
    "opening": "Die Tür öffnet gerade, oder ihre Gegenstelle ist nicht erreichbar.",
    "holding": "Was kommt, lässt sich zurzeit nicht sichern.",
}
MISSING_SECONDS = 60.0
"""A process that is missing for longer does not just start anew."""
HUNG_SECONDS = 300.0
"""A supervisor that is silent for longer hangs; while a database hangs, it may be silent for a while."""


@dataclass(frozen=True, slots=True)
class Living:
    """`/healthz`: `missing` are roles with fewer processes than ordered for too long; `is_watched` the supervisor acts."""

    is_watched: bool
    running: Mapping[str, int]
    missing: tuple[str, ...]

    @property
    def is_alive(self) -> bool:
        return self.is_watched and not self.missing

    def as_json(self) -> dict[str, Any]:
        """The page."""
        reasons = [] if self.is_watched else ["Der Hauptprozess des Dienstes reagiert nicht mehr."]
        reasons += [f"Der Prozess {role} läuft nicht oder hängt." for role in self.missing]
        return {"status": "alive" if self.is_alive else "dead", "processes": dict(self.running), "reasons": reasons}


def living(
    ordered: Mapping[str, int], bulletins: Iterable[Bulletin], missing_since: Mapping[str, float], now: float
) -> Living:
    """Judge a daemon by the current bulletins of its processes; `missing_since` by role, in seconds of the same clock."""
    running = Counter(one.role for one in bulletins)
    late = tuple(
        role
        for role, since in sorted(missing_since.items())
        if now - since >= (HUNG_SECONDS if role == "supervisor" else MISSING_SECONDS)
    )
    return Living(
        is_watched="supervisor" not in late,
        running={role: running[role] for role in ordered},
        missing=tuple(role for role in late if role != "supervisor"),
    )


@dataclass(frozen=True, slots=True)
class ChannelStanding:
    """One channel: whether it takes, and if not why, in German; `codes` are the same for machines."""

    channel: str
    is_taking: bool
    reasons: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    aside: int = 0


@dataclass(frozen=True, slots=True)
class Taking:
    """`/readyz`: ready while at least one channel takes, or where this daemon is not there to take."""

    is_ingress: bool
    channels: tuple[ChannelStanding, ...]

    @property
    def is_ready(self) -> bool:
        return not self.is_ingress or any(one.is_taking for one in self.channels)

    def as_json(self) -> dict[str, Any]:
        """The page."""
        page: dict[str, Any] = {
            "status": "ready" if self.is_ready else "not ready",
            "channels": [
                {"channel": one.channel, "taking": one.is_taking, "reasons": list(one.reasons)} for one in self.channels
            ],
        }
        if not self.is_ingress:
            page["note"] = "Dieser Dienst nimmt nichts an: Er arbeitet nur ab."
        return page


def taking(ordered: Mapping[str, int], bulletins: Iterable[Bulletin], channels: Sequence[str]) -> Taking:
    """Judge what the doors of this daemon can take, by the bulletin of its ingress process."""
    if "ingress" not in ordered:
        return Taking(is_ingress=False, channels=())
    said = {channel.channel: channel for one in bulletins if one.role == "ingress" for channel in one.channels}
    return Taking(is_ingress=True, channels=tuple(_channel(name, said.get(name)) for name in channels))


def _channel(name: str, said: ChannelBulletin | None) -> ChannelStanding:
    if said is None:
        return ChannelStanding(name, is_taking=False, reasons=(NO_INGRESS,))
    reasons = [_reason(one) for one in said.obstacles]
    codes = [one.code for one in said.obstacles]
    if not said.is_taking and not reasons:
        known = CATALOGUE.get(said.code)
        reasons.append(f"{known.meaning} {known.remedy}" if known else _STATES.get(said.state, said.state))
        codes.append(said.code if known else "intake.door.closed")
    return ChannelStanding(name, said.is_taking, tuple(reasons), tuple(codes), said.aside)


def _reason(one: Obstacle) -> str:
    known = CATALOGUE.get(one.code)
    about = f"Mandant {one.mandant}: " if one.mandant else ""
    where = f" ({one.where})" if one.where and one.where != one.mandant else ""
    return f"{about}{known.meaning if known else one.code}{where} {known.remedy if known else ''}".strip()
