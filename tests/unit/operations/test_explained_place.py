"""`explain` tells what `doctor` would: where at the target it failed, for the remedy speaks of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from intermediary.core.states import ZustellungState
from intermediary.operations.look import explain
from tests.unit.store.test_due import NACHRICHT, NOW, ZUSTELLUNG

KEY = "sftp: ssh-ed25519 SHA256:abc"


@pytest.mark.parametrize(
    ("code", "state", "is_told"),
    [
        ("target.hostkey", ZustellungState.DUE, True),
        ("target.misconfigured", ZustellungState.PARKED, True),
        ("target.resting", ZustellungState.DUE, False),
        ("", ZustellungState.DELIVERED, False),
    ],
)
def test_the_place_of_a_fault_is_told(code: str, state: ZustellungState, is_told: bool) -> None:
    """Of what failed, whether its code stands in the headline or not; of what only waits and what is over, nothing."""
    zustellung = replace(ZUSTELLUNG, code=code, state=state, proof={"where": KEY})

    for headline in (code, "", "target.resting"):
        told = explain(replace(NACHRICHT, wait_reason=headline), (zustellung,), NOW).lines
        assert (f"  Fundort: {KEY}" in told) is is_told
