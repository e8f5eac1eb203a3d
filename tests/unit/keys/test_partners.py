"""The partner directory: what a good file says, and every mistake of a bad one at once."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.core.faults import Misconfigured
from intermediary.core.ids import Behoerdenkennung
from intermediary.keys.partners import Partners, named_files

KEYS = Path(__file__).parents[2] / "vectors" / "osci" / "keys"

GOOD = """
[[partner]]
kennung = "ags:05513000"
name = "Intermediaer Musterland"
endpoint = "https://osci.example.de:8443/entry"
cipher = ["old.pem", "new.pem"]
signature = ["old.pem"]
intermediates = ["new.pem"]
policy = "legacy"
policy_until = 2027-03-31T22:00:00Z
reason = "Bibliothek 1.8 bis zur Abloesung"
revocation = "hard"
[[partner.trust]]
pem = "ca.pem"
purpose = ["content"]

[[partner]]
kennung = "dbs:010070010000"
name = "Portal"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with certificate files, for a directory beside them."""
    for name in ("old.pem", "new.pem", "ca.pem"):
        shutil.copy(KEYS / "test-ca.cert.pem", tmp_path / name)
    return tmp_path


def load(folder: Path, text: str) -> Partners:
    (folder / "partners.toml").write_text(text, "utf-8")
    return Partners.load(folder / "partners.toml")


def mistakes(folder: Path, text: str) -> dict[str, str]:
    """Dotted places and hints of a refused file."""
    with pytest.raises(Misconfigured) as refusal:
        load(folder, text)
    return {finding.path: finding.hint for finding in refusal.value.findings}


def test_a_good_file(folder: Path) -> None:
    """Everything about a partner is read; what is not said is empty and no exception."""
    partners = load(folder, GOOD)
    one, other = partners.named("ags:05513000"), partners.named("dbs:010070010000")

    assert [len(one.cipher), len(one.signature), len(one.intermediates)] == [2, 1, 1]
    assert [len(one.anchors("content")), len(one.anchors("transport"))] == [1, 0]
    assert (one.endpoint, one.revocation) == ("https://osci.example.de:8443/entry", "hard")
    assert (one.policy, one.policy_until) == ("legacy", datetime(2027, 3, 31, 22, tzinfo=UTC))
    assert (other.policy, other.policy_until, other.endpoint, other.revocation) == (None, None, "", None)
    assert [partner.kennung for partner in partners.all()] == ["ags:05513000", "dbs:010070010000"]


def test_a_partner_is_known_by_exactly_its_certificate(folder: Path) -> None:
    """A signature certificate leads to the partner that lists it; any other to nobody."""
    partners = load(folder, GOOD)
    [listed] = partners.named("ags:05513000").signature

    assert partners.by_signature(listed.public_bytes(Encoding.DER)) is partners.named("ags:05513000")
    assert partners.by_signature(b"other") is None


def test_nobody_of_that_name(folder: Path) -> None:
    """A Behoerdenkennung that is not listed is the operator's fault and named."""
    with pytest.raises(Misconfigured) as refusal:
        load(folder, GOOD).named("ags:00000000")

    assert (refusal.value.code, refusal.value.where) == ("partner.unknown", "ags:00000000")


def test_all_mistakes_at_once(folder: Path) -> None:
    """Every mistake has its dotted place, and a slip of the pen the name that was meant."""
    found = mistakes(
        folder,
        """
        colour = "red"
        [[partner]]
        kennung = "ags:5513000"
        endpoint = "ftp://osci.example.de"
        signatur = []
        cipher = "old.pem"
        policy = "legcy"
        revocation = "herd"
        [[partner.trust]]
        pem = "missing.pem"
        purpose = ["contents"]
        """,
    )

    assert set(found) == {
        "colour",
        "partner[1].kennung",
        "partner[1].name",
        "partner[1].endpoint",
        "partner[1].signatur",
        "partner[1].cipher",
        "partner[1].policy",
        "partner[1].revocation",
        "partner[1].trust[1].pem",
        "partner[1].trust[1].purpose",
    }
    assert "did you mean signature?" in found["partner[1].signatur"]
    assert "did you mean hard?" in found["partner[1].revocation"]
    assert "did you mean legacy?" in found["partner[1].policy"]


def test_an_exception_has_an_end_and_a_reason(folder: Path) -> None:
    """Legacy without an end or without a reason is refused, and so are both without a policy."""
    head = '[[partner]]\nkennung = "ags:05513000"\nname = "x"\n'

    assert set(mistakes(folder, head + 'policy = "legacy"\n')) == {"partner[1].policy_until", "partner[1].reason"}
    assert set(mistakes(folder, head + 'policy_until = 2027-01-01\nreason = "x"\n')) == {
        "partner[1].policy_until",
        "partner[1].reason",
    }
    assert set(mistakes(folder, head + 'policy = "legacy"\npolicy_until = 2027-01-01T00:00:00\nreason = "x"\n')) == {
        "partner[1].policy_until"
    }


def test_identities_are_unique(folder: Path) -> None:
    """Neither a Behoerdenkennung nor a signature certificate may stand for two partners."""
    twice = '[[partner]]\nkennung = "ags:05513000"\nname = "x"\n' * 2
    shared = '[[partner]]\nkennung = "dbs:{}"\nname = "x"\nsignature = ["old.pem"]\n'

    assert set(mistakes(folder, twice)) == {"partner[2].kennung"}
    assert set(mistakes(folder, shared.format(1) + shared.format(2))) == {"partner[2].signature"}


@pytest.mark.parametrize("text", ["ags:05513000", "dbs:010070010000", "psp:a.b-c_1", "bea:X"])
def test_kennungen(text: str) -> None:
    """A Behoerdenkennung is a lower-case prefix and a key."""
    assert Behoerdenkennung(text) == text


@pytest.mark.parametrize(
    "text", ["", "ags", "ags:", "ags:0551300", "AGS:05513000", "dbs:a b", "dbs:-1", "dbs:ä", "a:1"]
)
def test_no_kennungen(text: str) -> None:
    """Anything else is none."""
    with pytest.raises(ValueError, match="Behoerdenkennung"):
        Behoerdenkennung(text)


def test_files_to_watch(folder: Path) -> None:
    """Whoever watches a directory learns every certificate file in it, and nothing of a broken one."""
    load(folder, GOOD)

    assert {path.name for path in named_files(folder / "partners.toml")} == {"old.pem", "new.pem", "ca.pem"}
    (folder / "partners.toml").write_text("no [toml", "utf-8")
    assert named_files(folder / "partners.toml") == ()


ACCOUNT = """
[[partner]]
kennung = "fvt:0001"
name = "Fachverfahren"
[partner.account]
client = ["old.pem"]
"""


def test_an_account_of_a_client_that_connects(folder: Path) -> None:
    """A client is known by its certificate alone; without more it speaks for its own Kennung and books every service."""
    partners = load(folder, ACCOUNT + 'services = ["urn:a"]\nlocked = true\n')
    account = partners.named("fvt:0001").account

    assert account is not None
    assert (("fvt:0001",), ("urn:a",), True) == (account.identifiers, account.services, account.locked)
    assert partners.named("fvt:0001") is partners.by_client(account.fingerprints[0])
    assert partners.by_client("00") is None
    assert folder / "old.pem" in named_files(folder / "partners.toml")


def test_mistakes_of_an_account(folder: Path) -> None:
    """No certificate, no list, no truth value; a certificate or an identifier of two accounts."""
    shared = ACCOUNT + ACCOUNT.replace("0001", "0002")

    assert {"partner[1].account.client"} == set(mistakes(folder, ACCOUNT.replace('["old.pem"]', "[]")))
    assert {"partner[1].account.locked", "partner[1].account.services"} == set(
        mistakes(folder, ACCOUNT + 'locked = 1\nservices = "all"\n')
    )
    assert {"partner[2].account.client"} == set(mistakes(folder, shared))
    assert {"partner[1].account"} == set(mistakes(folder, ACCOUNT.replace("[partner.account]\nclient", "account")))
