"""Several accounts of one channel: each has its box, its certificate, its endpoints, and the name it answers with."""

from __future__ import annotations

from pathlib import Path

from intermediary.keys.spool import Spool
from intermediary.settings.channels import Channel
from intermediary.testing.xta import AUTHOR
from intermediary.unseal.xta.values import Party
from intermediary.wiring.doors import door_rules
from intermediary.wiring.xta import Accounts, open_xta_fetch
from intermediary.xta.client.http import HttpLimits
from intermediary.xta.client.mailbox import reply_way
from tests.unit.testing.conftest import NOW


def channel(tmp_path: Path) -> Channel:
    """Two Mandanten, three accounts, a box and nothing else."""
    accounts = [
        {"mandant": mandant, "identifier": name, "tls_cert": f"{name}.pem", "tls_key": f"{name}.key"}
        for mandant, name in (("a-stadt", "k1"), ("a-stadt", "k2"), ("b-stadt", "k3"))
    ]
    door = {"msgbox": {"url": "https://xta.example/box"}, "account": accounts}
    table = {"name": "xta", "type": "xta_fetch", "mandanten": ["a-stadt", "b-stadt"], "xta_fetch": door}
    return Channel.model_validate(table, context={"base": tmp_path})


def test_every_account_has_a_box_of_its_own(tmp_path: Path) -> None:
    """Three boxes for two Mandanten; what each takes belongs to its Mandant."""
    made = channel(tmp_path)
    door = open_xta_fetch(made, door_rules(made), take=lambda _: [], spool=Spool(None), clock=lambda: NOW)
    boxes = [one.box for one in door._boxes]

    assert ["a-stadt/k1", "a-stadt/k2", "b-stadt/k3"] == [one.name for one in boxes]
    assert ["a-stadt", "a-stadt", "b-stadt"] == [one.mandant for one in boxes]
    assert frozenset({"application/vnd.xta211+mime"}) == door_rules(made).content_types
    door.close()


def test_a_message_is_answered_by_the_account_it_came_to(tmp_path: Path) -> None:
    """The way back names the account by type and identifier; one that is gone has no client."""
    accounts = Accounts(channel(tmp_path), spool=Spool(None), limits=HttpLimits())
    found = accounts.named("xoev", "k2")

    assert found is not None
    assert (Party("k2"), "channel xta, account a-stadt") == (found.account, found.where)
    assert accounts.named("xoev", "k9") is None
    assert reply_way(AUTHOR, found.account).endswith("own_type=xoev&own_id=k2")
    assert 3 == len(accounts.all())
