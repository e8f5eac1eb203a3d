"""What `lint` and `doctor` say of an XTA server: sound as furnished, and of each mistake where it is and what helps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from intermediary.operations.check import doctor, lint
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.pki import Pki
from intermediary.testing.xta_site import READER, XtaSite, furnish
from intermediary.wiring import utc_now


@pytest.fixture
def site(tmp_path: Path, pki: Pki) -> XtaSite:
    return furnish(tmp_path / "site", pki, now=utc_now(), settings=golden_settings())


def changed(site: XtaSite, name: str, change: Callable[[str], str]) -> dict[str, str]:
    """What lint finds after a file was changed: dotted places and messages."""
    file = site.site.folder / name
    before = file.read_text("utf-8")
    after = change(before)
    assert before != after
    file.write_text(after, "utf-8")
    return {finding.path: finding.what for finding in lint(site.site.config)}


def test_as_furnished(site: XtaSite) -> None:
    """No finding; the address, the accounts, and the one that no certificate opens have a line."""
    told = list(doctor(site.site.config, utc_now()))
    lines = [one for one in told if one.subject == "door xta"]

    assert not any(one.is_blocking for one in lint(site.site.config))
    assert ["ok", "ok", "warning"] == [one.verdict for one in lines]
    assert "5 accounts may connect, 1 of them locked" == lines[1].what
    assert "no client certificate of prt:0000000004 is in force" == lines[2].what
    assert ["told by getTransportReport"] == [one.what for one in told if one.subject == "answers of xta"]


def test_a_box_that_nobody_can_open(site: XtaSite) -> None:
    """A reader without an account, and a Mandant whom no server serves."""
    found = changed(site, "routes.toml", lambda text: text.replace(READER, "fvt:9999"))
    assert "has no account" in found["route[bewohnerparken-xta].target[fachverfahren].settings.account"]

    found = changed(site, "intermediary.toml", lambda text: text.partition('\n[[channel]]\nname = "xta"')[0])
    assert "serves" in found["route[bewohnerparken-xta].target[fachverfahren].connector"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"musterstadt"\n', '"nirgends"\n', "names a Mandant"),
        ("judged_seconds = 10", "judged_seconds = 0", "judged_seconds"),
        ('client_ca = "tls/ca.cert.pem"\n', "", "client_ca"),
        ('client_ca = "tls/ca.cert.pem"', 'client_ca = "tls/none.pem"', "there is no file"),
    ],
)
def test_mistakes_of_the_channel(site: XtaSite, old: str, new: str, words: str) -> None:
    """A reader of a Mandant that is not served, a judgement in no time, no CA, a file that is missing."""

    def change(text: str) -> str:
        head, mark, tail = text.partition("[channel.xta_passive]")
        return head + mark + tail.replace(old, new)

    found = changed(site, "intermediary.toml", change)

    assert any(words in f"{path} {message}" for path, message in found.items())


def test_without_a_directory(site: XtaSite) -> None:
    """The clients of a server are known by the directory of partners."""
    found = changed(site, "intermediary.toml", lambda text: text.replace('partners = "partners.toml"\n', ""))

    assert "knows its clients" in found["channel[xta].xta_passive"]


def test_a_ca_that_no_client_has(site: XtaSite) -> None:
    """A portal whose certificate `client_ca` does not lead to is turned away by TLS, before the directory is asked."""
    changed(site, "intermediary.toml", lambda text: text.replace('"tls/ca.cert.pem"', '"tls/other-ca.cert.pem"'))
    lines = [one for one in doctor(site.site.config, utc_now()) if one.subject == "door xta"]

    assert 4 == sum(one.what.startswith("no client certificate") and "other-ca" in one.what for one in lines)
    assert {"warning"} == {one.verdict for one in lines if "other-ca" in one.what}
