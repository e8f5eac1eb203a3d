"""Pieces of the XTA server: ids that need no memory, iterators that end, skeletons without content."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

import pytest

from intermediary.keys.accounts import Account
from intermediary.keys.partners import Partner, Partners
from intermediary.testing.authority import root
from intermediary.xml.parser import parse
from intermediary.xta.server.clients import let_in
from intermediary.xta.server.ids import Ids
from intermediary.xta.server.iterators import Found, Iterators
from intermediary.xta.server.refusal import Refused
from intermediary.xta.server.skeleton import skeleton

OLD, NEW = b"old", b"new"


def ids(*keys: bytes, name: str = "demo") -> Ids:
    return Ids(name, lambda text: tuple(hmac.new(key, text.encode(), hashlib.sha256).hexdigest() for key in keys))


def test_ids_are_bound_to_installation_and_account() -> None:
    """Made anywhere, known everywhere, also after the key was replaced; of no other account, installation or form."""
    made = ids(OLD).create("prt:1", secrets.token_bytes)

    assert made.startswith("urn:de:xta:messageid:demo:")
    assert ids(NEW, OLD).is_usable(made, "prt:1")
    assert not ids(OLD).is_usable(made, "prt:2")
    assert not ids(NEW).is_usable(made, "prt:1")
    assert not ids(OLD).is_usable(made + "0", "prt:1")
    assert not ids(OLD).is_usable("urn:de:xta:messageid:demo:x", "prt:1")
    assert ids(OLD).is_usable("urn:de:xta:messageid:other:x", "prt:1")
    assert 1000 == len({ids(OLD).create("prt:1", secrets.token_bytes) for _ in range(1000)})


def test_the_key_in_an_id() -> None:
    """What lies in a box has an id from which its key is read, and only such an id."""
    key = "20c1937d-b1ba-53fe-825a-f68557e2f9bc"

    assert key == ids(OLD).key_of(ids(OLD).of_zustellung(key))
    assert [None] * 3 == [ids(OLD).key_of(one) for one in (key, "urn:de:xta:messageid:demo:", "urn:x:" + key)]


@pytest.mark.parametrize("changed", ["", "x", "urn:xta:iterator:", "urn:xta:iterator:!!", "urn:xta:iterator:AAAA"])
def test_iterator_ids(changed: str) -> None:
    """An account knows its own again, in whatever process; nothing else is taken for one."""
    made = ids(OLD).iterator("fvt:1", secrets.token_bytes)

    assert ids(NEW, OLD).is_iterator(made, "fvt:1")
    assert not ids(OLD).is_iterator(made, "fvt:2")
    assert not ids(OLD).is_iterator(changed, "fvt:1")


def test_who_opens_too_many_loses_the_oldest() -> None:
    """Nobody can fill the memory, and one account cannot end the iterators of another."""
    iterators = Iterators()
    iterators.keep("b", "kept", Found(["k"], "", 1))
    for number in range(40):
        iterators.keep("a", str(number), Found(["k"], "", 1))

    assert iterators.get("b", "kept") is not None
    assert iterators.get("a", "39") is not None
    assert iterators.get("a", "0") is None
    assert iterators.get("b", "39") is None


def test_a_skeleton_has_no_content() -> None:
    """Contents are gone, inline or by reference; everything else stays as it was."""
    xta = "http://xoev.de/transport/xta/211"
    tree = parse(
        f'<g xmlns="{xta}"><c><Message contentType="a">QUJD</Message><Attachment contentType="b">'
        '<i xmlns="urn:x" href="cid:1"/></Attachment></c></g>'.encode()
    )

    copy = skeleton(tree)

    assert ["Message", "Attachment"] == [str(one.tag).rpartition("}")[2] for one in copy[0]]
    assert [(None, 0, "a"), (None, 0, "b")] == [(one.text, len(one), one.get("contentType")) for one in copy[0]]
    assert "QUJD" == tree[0][0].text


def test_who_is_let_in(now: datetime) -> None:
    """By the listed certificate alone: unknown 9012, beyond its time 9010 (a connection outlives it), locked 9011."""
    authority = root("CA", start=now - timedelta(days=1), end=now + timedelta(days=10))
    one = authority.issue("portal", start=now - timedelta(days=1), end=now + timedelta(days=1)).certificate
    open_one, locked = Account((one,), ("prt:1",)), Account((one,), ("prt:1",), locked=True)
    (shown,) = open_one.fingerprints

    def refused(account: Account | None, certificate: str, moment: datetime) -> str:
        partner = Partner(kennung="prt:1", name="Portal", account=account)
        with pytest.raises(Refused) as caught:
            let_in(Partners([partner]), certificate, moment)
        return caught.value.number

    assert "9012" == refused(open_one, "00", now)
    assert "9012" == refused(None, shown, now)
    assert "9010" == refused(open_one, shown, now + timedelta(days=2))
    assert "9011" == refused(locked, shown, now)
    client = let_in(Partners([Partner(kennung="prt:1", name="Portal", account=open_one)]), shown, now)
    assert ("prt:1", shown) == (client.kennung, client.certificate)
    assert client.has_booked("urn:any")
