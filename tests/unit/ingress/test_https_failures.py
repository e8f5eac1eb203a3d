"""Who sends too much that cannot be decrypted is not decrypted for any more, and the operators are told once."""

from __future__ import annotations

from structlog.testing import capture_logs

from intermediary.ingress.https.failures import Alarm, Failures

ALARM = Alarm("osci.decrypt.alarm", "intake.decrypt.alarm")


class Ticks:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def used_up(failures: Failures, partner: str, times: int = 20) -> None:
    for _ in range(times):
        failures.count(partner)


def test_twenty_an_hour_and_no_more() -> None:
    """The twentieth failure ends it for this partner alone; each three minutes give one back."""
    ticks = Ticks()
    failures = Failures("osci", ALARM, per_hour=20, ticks=ticks)
    used_up(failures, "a", 19)
    assert 0 == failures.wait_seconds("a")

    failures.count("a")

    assert 180 == failures.wait_seconds("a")
    assert 0 == failures.wait_seconds("b")
    ticks.now = 181
    assert 0 == failures.wait_seconds("a")


def test_the_alarm_is_given_once() -> None:
    """One event per siege, with a code an operator can look up; again only after the allowance was whole."""
    ticks = Ticks()
    failures = Failures("osci", ALARM, per_hour=20, ticks=ticks)
    with capture_logs() as logs:
        used_up(failures, "a", 30)
        ticks.now = 1000
        used_up(failures, "a", 30)
    assert [("osci.decrypt.alarm", "intake.decrypt.alarm")] == [(one["event"], one["code"]) for one in logs]
    assert 1 == failures.suspects

    ticks.now = 10_000
    assert 0 == failures.suspects
    with capture_logs() as logs:
        used_up(failures, "a")
    assert 1 == len(logs)


def test_many_partners_cost_little() -> None:
    """An attacker with many addresses does not fill the memory."""
    failures = Failures("osci", ALARM, per_hour=20, ticks=Ticks())
    for number in range(10_050):
        failures.count(str(number))

    assert 10_000 == len(failures._partners)
