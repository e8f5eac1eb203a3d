"""A redelivery that the target refuses, at the command line: found, explained, and let be."""

from __future__ import annotations

from intermediary.core.decide import Decision
from intermediary.core.states import ZustellungState
from intermediary.testing.samples import sample_letter
from tests.acceptance.command import Said, call
from tests.acceptance.rig import Rig


def say(rig: Rig, *words: str) -> Said:
    """Run a command on the rig's installation."""
    return call(*words, "-c", rig.site.config)


def test_it_is_found_explained_and_let_be(rig: Rig) -> None:
    """By its code and that of the target, with the commands that end it; afterwards nothing asks for anybody."""
    own = rig.submit(sample_letter(1, now=rig.clock()), "portal/1")
    rig.work()
    store, now = rig.store, rig.clock()
    claim = store.redeliver(store.claim_one(own, "p", now), "eakte", actor="ada", reason="noch einmal", now=now)
    key = claim.zustellungen[-1].key
    claim = store.intend(claim, key, claim.zustellungen[-1].output_sha256, now)
    store.release(store.settle(claim, key, Decision(ZustellungState.REFUSED, "target.refused"), now=now), now)

    by_codes = [say(rig, "list", f"code={code}", "--json").rows for code in ("redelivery.refused", "target.refused")]
    by_id = say(rig, "list", own, "code=target.refused", "--json").rows
    explained = say(rig, "explain", own)
    discarded = say(rig, "decide", own, "discard", "--reason", "die eAkte hat sie schon")
    again = say(rig, "decide", own, "discard", "--reason", "noch einmal")

    assert [[(own, "completed", "redelivery.refused")]] * 3 == [
        [(one["id"], one["state"], one["code"]) for one in rows] for rows in (*by_codes, by_id)
    ]
    assert "Zugestellt und quittiert; eine erneute Zustellung hat das Ziel abgelehnt." in explained.out
    for command in (f"intermediary replay {own} --redeliver eakte", f"intermediary decide {own} discard"):
        assert command in explained.out
    assert "der Sender muss" not in explained.out
    assert (0, True) == (discarded.code, "bleibt completed" in discarded.out)
    assert 0 != again.code
    assert [] == say(rig, "list", "code=redelivery.refused", "--json").rows
    assert "unversehrt" in say(rig, "audit", "verify").out
