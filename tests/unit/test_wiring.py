"""What wiring makes of the settings."""

from __future__ import annotations

from pathlib import Path

from intermediary.settings.channels import Channel
from intermediary.wiring import door_rules


def test_the_limit_of_a_channel_binds_what_is_referred_to_as_well():
    """A claim check is no way around `max_bytes`: whoever opens a submission needs memory for all of it."""
    channel = Channel.model_validate(
        {"name": "a", "type": "folder", "mandanten": ["musterstadt"], "max_bytes": 1000, "folder": {"inbox": "in"}},
        context={"base": Path("/")},
    )

    rules = door_rules(channel)

    assert (1000, 1000) == (rules.max_bytes, rules.max_claim_bytes)
