"""Sends what is to be told: takes alerts from the store, tries each way, and tries again until it arrives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from intermediary.core.schedule import Schedule
from intermediary.daemon.alerts.log import LogWay
from intermediary.daemon.alerts.mail import MailWay
from intermediary.daemon.alerts.way import NotTold, Way, letter_of
from intermediary.daemon.alerts.webhook import WebhookWay
from intermediary.settings.kinds import host_of, port_of
from intermediary.settings.models import Settings
from intermediary.store.alerts import Alerts

log = structlog.get_logger(__name__)

AGAIN = Schedule(first=timedelta(seconds=10), longest=timedelta(minutes=15), deadline=timedelta.max)
MOST_AT_ONCE = 20


def ways_of(settings: Settings, now: Callable[[], datetime]) -> tuple[Way, ...]:
    """The ways that are configured; the log is always one."""
    asked = settings.alerts
    ways: list[Way] = [LogWay()]
    if asked.webhook_url_file is not None:
        ways.append(WebhookWay(asked.webhook_url_file, asked.webhook_ca_file))
    if asked.mail_server is not None and asked.mail_from is not None:
        ways.append(
            MailWay(
                host=host_of(asked.mail_server),
                port=port_of(asked.mail_server),
                tls=asked.mail_tls,
                ca_file=asked.mail_ca_file,
                sender=asked.mail_from,
                receivers=asked.mail_to,
                user=asked.mail_user,
                password_file=asked.mail_password_file,
                now=now,
            )
        )
    return tuple(ways)


class Post:
    """The alerts of one daemon on their way; `send` is called after every look."""

    def __init__(
        self,
        alerts: Alerts,
        ways: Sequence[Way],
        *,
        installation: str,
        now: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        self._alerts = alerts
        self._ways = {way.name: way for way in ways}
        self._installation = installation
        self._now = now
        self._jitter = jitter

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the ways."""
        return tuple(self._ways)

    def send(self) -> int:
        """Send what is due, but no more than a few at once; how many arrived. Raises what the store raises."""
        arrived = 0
        for _ in range(MOST_AT_ONCE):
            alert = self._alerts.take(self.names, self._now())
            if alert is None:
                break
            try:
                self._ways[alert.way].tell(letter_of(alert, self._installation))
            except NotTold as failure:
                log.warning("alert.undelivered", way=alert.way, failure=failure.reason, attempt=alert.attempts)
                again = AGAIN.next_try(attempts=alert.attempts, now=self._now(), jitter=self._jitter())
                self._alerts.failed(alert, "alert.undelivered", again)
            else:
                self._alerts.sent(alert, self._now())
                arrived += 1
        return arrived
