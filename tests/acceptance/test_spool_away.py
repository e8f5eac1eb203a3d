"""A disk without room for opened parts is nobody's mistake: the Nachricht waits, and goes on by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from intermediary.core.states import NachrichtState
from intermediary.osci.write import Attachment
from intermediary.testing.samples import sample_letter
from tests.acceptance.rig import Rig


def test_opening_waits_for_the_spool(rig: Rig) -> None:
    """While the spool takes nothing a large message is tried again; once it does, it is delivered and no person asked."""
    spool = rig.installation.settings.installation.data / "spool"
    spool.rename(spool.with_name("away"))
    letter = sample_letter(1, now=rig.clock())
    large = Attachment("Bauzeichnung.bin", "application/octet-stream", bytes(3 << 20))
    own = rig.submit(replace(letter, attachments=(*letter.attachments, large)), "gross")
    rig.work()
    waiting = rig.get(own)

    assert (NachrichtState.RECEIVED, "store.unavailable") == (waiting.state, waiting.wait_reason)

    spool.with_name("away").rename(spool)
    rig.clock.advance(timedelta(minutes=5))
    rig.work()

    assert NachrichtState.COMPLETED is rig.get(own).state
