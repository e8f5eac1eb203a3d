"""What comes near to its deadline is told before it is parked, by the watch of a daemon."""

from __future__ import annotations

from datetime import timedelta

from intermediary.daemon.alerts.post import Post
from intermediary.daemon.watch import Watch
from intermediary.testing.samples import sample_letter
from tests.acceptance.rig import Rig

EAKTE = "target musterstadt/bewohnerparken/eakte"


def test_a_deadline_at_risk_is_an_incident_that_ends(rig: Rig) -> None:
    """By the deadline of the route's target: one incident, from nine tenths of it until nothing is near to it any more."""
    routes = rig.site.folder / "routes.toml"
    text = routes.read_text(encoding="utf-8")
    routes.write_text(
        text.replace('connector = "ordner"', 'connector = "ordner"\ndeadline_hours = 20'), encoding="utf-8"
    )
    settings, store = rig.installation.settings, rig.store
    post = Post(store.watch.alerts, {}, installation="test", now=rig.clock, jitter=lambda: 0.0)
    watch = Watch(
        store, rig.configuration, settings, post, now=rig.clock, failing=dict, dying=tuple, overdue=dict
    )  # fmt: skip
    own = rig.submit(sample_letter(1, now=rig.clock()), "portal/1")
    rig.site.occupy(own)
    rig.work()

    def seen(after: timedelta) -> list[tuple[str, str, bool]]:
        rig.clock.advance(after)
        watch.look()
        found = store.watch.incidents.newest()
        return [(one.code, one.place, one.ended_at is None) for one in found if one.code.endswith(".near")]

    minute, between = timedelta(minutes=1), timedelta(seconds=settings.incidents.look_seconds)
    early = [
        seen(timedelta(hours=17.9)),
        seen(timedelta(hours=0.1)),
        *(seen(between) for _ in range(minute // between)),
    ]
    rig.fetch()
    rig.clock.advance(timedelta(hours=1))
    rig.work()
    late = [seen(minute), seen(6 * minute)]

    told = [("delivery.deadline.near", EAKTE, True)]
    assert [[]] * 2 == early[:2]
    assert told == early[-1]
    assert [[("delivery.deadline.near", EAKTE, is_open)] for is_open in (True, False)] == late
