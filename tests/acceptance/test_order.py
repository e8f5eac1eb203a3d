"""The order of a Vorgang through the whole path: judged, held back, explained, let pass, delivered by several workers."""

from __future__ import annotations

import threading

from intermediary.cli.sheet import sheet
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.core.values import Eingang, MemoryContent
from intermediary.ingress.doors import OSCI_MIME
from intermediary.operations.act import Decide, Replay
from intermediary.operations.explained import explained
from intermediary.operations.look import detail
from intermediary.operations.person import Request
from intermediary.operations.selection import Selection
from intermediary.testing.demo_site import MANDANT
from intermediary.testing.samples import sample_letter
from tests.acceptance.rig import Rig

N, Z = NachrichtState, ZustellungState
WHY = Request(actor="pruefer", reason="Probe")


def keep_order(rig: Rig) -> None:
    """The one route of the installation keeps the order from now on."""
    routes = rig.installation.settings.installation.routes
    routes.write_text(routes.read_text().replace('name = "', 'order = "vorgang"\nname = "', 1))
    rig.configuration.bank()  # every worker begins with it


def taken(rig: Rig, number: int) -> str:
    """A letter of the Vorgang, as a door takes it."""
    body = MemoryContent(rig.seal(sample_letter(number, now=rig.clock())))
    eingang = Eingang(MANDANT, "eingang", f"a-{number}", OSCI_MIME, rig.clock(), body, vorgang="2026/4711")
    return str(rig.store.take([eingang])[0].nachricht_id)


def test_a_later_one_waits_is_explained_and_let_pass(rig: Rig) -> None:
    """The first is parked; the second waits, says for whom, and goes as soon as a person lets it."""
    keep_order(rig)
    first, second = taken(rig, 1), taken(rig, 2)
    rig.store.park(rig.store.claim_one(first, "w", rig.clock()), "suspect", rig.clock())
    rig.work()

    assert (N.PLANNED, "order.waits", None) == (
        rig.get(second).state,
        rig.get(second).wait_reason,
        rig.get(second).due_at,
    )

    told = explained(rig.store, rig.installation.settings, second, rig.clock())
    head = explained(rig.store, rig.installation.settings, first, rig.clock())
    page = "\n".join(sheet(detail(rig.store, second)))
    [effect] = Replay(rig.store, now=rig.clock).effects(Selection(ids=(second,)))

    assert any(first in line for line in told.explanation.lines)
    assert f'intermediary decide {first} pass --reason "…"' in [command for command, _ in told.actions]
    told_when = dict(told.actions)
    assert (
        "diese soll nicht länger auf die frühere warten" == told_when[f'intermediary decide {first} pass --reason "…"']
    )
    assert told.deadline is None  # it begins to count when it may go
    assert any("spätere Nachricht" in line for line in head.explanation.lines)
    assert "Nr. 2" in page
    assert first in page
    assert "nothing" == effect.action

    Decide(rig.store, now=rig.clock).carry_out("pass", first, "", "", WHY)
    rig.work()

    assert N.COMPLETED is rig.get(second).state
    assert N.PARKED is rig.get(first).state


def test_several_workers_deliver_in_order(rig: Rig) -> None:
    """Four workers at once on twelve Nachrichten of one Vorgang: the intents follow the order of acceptance."""
    keep_order(rig)
    ids = [taken(rig, number + 1) for number in range(12)]
    workers = [rig.new_worker() for _ in range(4)]
    threads = [threading.Thread(target=worker.drain) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    rig.work()
    with rig.store.audit_snapshot() as moment:
        sent = [entry.event.chain for entry in moment.entries if entry.event.name == "delivery.intended"]

    assert ids == sent
    assert {N.COMPLETED} == {rig.get(one).state for one in ids}
