"""What `doctor` says about everything that ends by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from intermediary.operations.diagnosis import Diagnosis
from intermediary.operations.expiry import expiry
from tests.unit.operations.conftest import DAY, MAIN, NOW, Place

PARTNER = '[[partner]]\nkennung = "ags:05513000"\nname = "Portal"\n'
EXCEPTION = 'policy = "legacy"\nreason = "alt"\n'


def look(place: Place) -> dict[str, Diagnosis]:
    return {one.subject: one for one in expiry(place.settings(), NOW)}


def told(one: Diagnosis) -> tuple[str, str]:
    return one.verdict, one.what


def test_nothing_ends(place: Place) -> None:
    """A profile without an end and a partner without an exception are shown as they are."""
    assert {subject: told(one) for subject, one in look(place).items()} == {
        "policy musterstadt": ("ok", "osci@1"),
        "partner ags:05513000": ("ok", "policy of the Mandant"),
    }


@pytest.mark.parametrize(
    ("days", "verdict", "urgency"),
    [
        (31, "ok", ""),
        (29, "warning", "plan the change"),
        (13, "warning", "the change is due"),
        (2, "warning", "change it now"),
        (1, "warning", "change it now"),
    ],
)
def test_an_exception_and_a_certificate_come_to_their_end(place: Place, days: int, verdict: str, urgency: str) -> None:
    """The days left are told, from 30 days on with a warning that grows more urgent at 14 and 3."""
    until = (NOW + days * DAY).isoformat()
    place.certificate("alt", days=days)
    place.write(
        "partners.toml", PARTNER + f'policy = "legacy"\npolicy_until = {until}\nreason = "alt"\ncipher = ["alt.pem"]'
    )
    found = look(place)
    exception = found["partner ags:05513000"]
    certificate = next(one for subject, one in found.items() if "cipher" in subject)
    date = (NOW + days * DAY).date().isoformat()
    left = "1 day left" if days == 1 else f"{days} days left"

    assert told(exception) == (verdict, f"legacy@1 for ags:05513000 until {date}, {left} (alt)")
    assert told(certificate) == (verdict, left)
    assert exception.hint.startswith(urgency)
    assert certificate.hint.startswith(urgency)


def test_what_has_ended(place: Place) -> None:
    """A partner's exception that has ended is a warning, a Mandant's own bad: every message is refused."""
    past = (NOW - DAY).isoformat()
    place.certificate("alt", days=-2)
    place.write(
        "partners.toml", PARTNER + f'policy = "legacy"\npolicy_until = {past}\nreason = "alt"\nsignature = ["alt.pem"]'
    )
    place.write("keyring.toml", f'policy = "legacy"\npolicy_until = {past}\n')
    found = look(place)

    assert found["partner ags:05513000"].verdict == "warning"
    assert "ended" in found["partner ags:05513000"].what
    assert found["policy musterstadt"].verdict == "bad"
    assert [told(one) for subject, one in found.items() if "signature" in subject] == [("warning", "expired")]


RING = 'revocation = "{}"\nrevocation_folder = "sperren"\nrevocation_grace_hours = 24\n[[trust]]\npem = "ca.pem"\n'


@pytest.mark.parametrize(
    ("mode", "until", "verdict", "word"),
    [
        ("hard", DAY, "ok", "holds for 1 days"),
        ("hard", -timedelta(hours=5), "warning", "ended 5 hours ago: in its grace"),
        ("hard", -2 * DAY, "bad", "signers are undetermined"),
        ("soft", -2 * DAY, "warning", "signers pass unchecked"),
    ],
)
def test_age_of_a_list(place: Place, mode: str, until: timedelta, verdict: str, word: str) -> None:
    """A list tells its age; a stale one is a warning, and bad where trust depends on it."""
    place.write("sperren/wurzel.crl", place.ca.crl({}, made=NOW - 7 * DAY, until=NOW + until))
    place.write("keyring.toml", RING.format(mode))
    found = look(place)["revocation musterstadt: wurzel.crl"]

    assert found.verdict == verdict
    assert "made 7 days ago" in found.what
    assert word in found.what


def test_material_that_is_missing_or_broken(place: Place) -> None:
    """Files that cannot be read, stale answers, and authorities without a list are named."""
    leaf = place.ca.issue("leaf", start=NOW - DAY, end=NOW + DAY)
    place.write("sperren/kaputt.crl", b"x")
    place.write("keyring.toml", RING.format("hard"))
    found = look(place)

    assert found["revocation musterstadt: kaputt.crl"].verdict == "warning"
    assert [one.what for subject, one in found.items() if "Wurzel" in subject] == ["no list of this authority"]

    place.write("sperren/alt.ors", place.ca.ocsp(leaf.certificate, made=NOW - 9 * DAY, until=NOW - 8 * DAY))
    place.write("sperren/neu.ors", place.ca.ocsp(leaf.certificate, made=NOW - DAY, until=NOW + DAY))
    found = look(place)

    assert told(found["revocation musterstadt: OCSP"]) == ("warning", "2 OCSP answers, 1 of them stale")
    assert not [subject for subject in found if "Wurzel" in subject]


def test_nobody_asks_for_revocation(place: Place) -> None:
    """Where it is off nothing is said about it."""
    place.write("sperren/kaputt.crl", b"x")
    place.write("keyring.toml", RING.format("off"))

    assert not [subject for subject in look(place) if subject.startswith("revocation")]


ACCOUNT = """
[[channel]]
name = "xta"
type = "xta_fetch"
mandanten = ["musterstadt"]
[channel.xta_fetch.msgbox]
url = "https://xta.example/box"
[[channel.xta_fetch.account]]
mandant = "musterstadt"
identifier = "ags:05999044"
tls_cert = "konto.pem"
tls_key = "konto.key"
"""


@pytest.mark.parametrize(
    ("days", "verdict", "what"),
    [(31, "ok", "31 days left"), (13, "warning", "13 days left"), (-1, "bad", "expired: the service lets nobody in")],
)
def test_the_certificate_of_an_xta_account_ends(place: Place, days: int, verdict: str, what: str) -> None:
    """The service may just close the connection on an expired certificate: only we can tell the operator why."""
    place.certificate("konto", days=days)
    found = {one.subject: one for one in expiry(place.settings(MAIN + ACCOUNT), NOW)}

    assert (verdict, what) == told(found["account xta: ags:05999044"])
    assert ("konto.pem" in found["account xta: ags:05999044"].hint) is (verdict != "ok")


def test_a_certificate_that_cannot_be_read_is_no_end(place: Place) -> None:
    """What is no certificate, or not there, is told where the door is looked at."""
    place.write("konto.pem", "kein Zertifikat")

    assert not [one for one in expiry(place.settings(MAIN + ACCOUNT), NOW) if one.subject.startswith("account")]
