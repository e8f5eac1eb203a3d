"""The way that is always open: one line in the log of the daemon that tells, whichever host it is on."""

from __future__ import annotations

import structlog

from intermediary.daemon.alerts.way import Letter

log = structlog.get_logger(__name__)


class LogWay:
    """Writes `incident.opened` (as an error) and `incident.ended`."""

    name = "log"

    def tell(self, letter: Letter) -> None:
        one = letter.incident
        write = log.error if letter.kind == "opened" else log.info
        write(
            f"incident.{letter.kind}",
            incident=one.get("id", ""),
            code=one.get("code", ""),
            where=one.get("place", ""),
            count=one.get("most", 0),
            mandanten=one.get("mandanten", []),
        )
