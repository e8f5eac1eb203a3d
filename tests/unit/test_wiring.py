"""What wiring makes of the settings."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from intermediary.connect.lane.connector import LaneConnector
from intermediary.core.ports import Idempotency, Manifest
from intermediary.settings.channels import Channel
from intermediary.wiring import Configuration, door_rules


def test_the_limit_of_a_channel_binds_what_is_referred_to_as_well():
    """A claim check is no way around `max_bytes`: whoever opens a submission needs memory for all of it."""
    channel = Channel.model_validate(
        {"name": "a", "type": "folder", "mandanten": ["musterstadt"], "max_bytes": 1000, "folder": {"inbox": "in"}},
        context={"base": Path("/")},
    )

    rules = door_rules(channel)

    assert (1000, 1000) == (rules.max_bytes, rules.max_claim_bytes)


@pytest.mark.parametrize(("threads", "bears", "most"), [(1, 4, 1), (2, 4, 1), (4, 2, 2), (4, 8, 3)])
def test_a_vendors_connector_never_has_all_threads(threads: int, bears: int, most: int) -> None:
    """It may hang as long as a delivery may take: somebody is left for the other targets. Ours have timeouts."""
    configuration = object.__new__(Configuration)
    configuration._threads = threads
    vendors, ours = object.__new__(LaneConnector), SimpleNamespace()
    vendors.manifest = ours.manifest = Manifest("m", Idempotency.NONE, "x", concurrency=bears)

    assert (most, bears) == tuple(configuration._most_at(one) for one in (vendors, ours))  # type: ignore[arg-type]
