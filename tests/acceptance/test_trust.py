"""Trust and partners in a whole installation: what cannot be told waits, what was used is pinned, changes are noticed."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.core.states import NachrichtState
from intermediary.keys.identity import HeldKey
from intermediary.operations.look import explain
from intermediary.operations.rejudge import rejudge
from intermediary.osci.write import Cipher, Letter, SignatureMethod, seal
from intermediary.osci.write.algorithms import KeyTransport, Symmetric
from intermediary.osci.write.letter import Identity
from intermediary.testing.authority import Authority, root, source_of
from intermediary.testing.samples import sample_letter
from intermediary.wiring import Configuration, open_installation
from tests.acceptance.rig import Rig

DAY = timedelta(days=1)
OLD = Cipher(Symmetric.AES256_CBC, key_transport=KeyTransport.RSA_1_5)
PARTNER = """
[[partner]]
kennung = "ags:05513000"
name = "Alt"
signature = ["../keys/intermediary-signature.cert.pem"]
policy = "legacy"
policy_until = {until}
reason = "alt"
"""


class Court:
    """An installation that demands trusted signatures, an authority, a signer of it, and a folder for its lists."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        now = rig.clock()
        self.ca = root("Wurzel", start=now - 9 * DAY, end=now + 99 * DAY)
        self.signer = self.ca.issue("Autorin", start=now - DAY, end=now + 90 * DAY)
        keys = rig.site.folder / "keys"
        self.lists = keys / "sperrlisten"
        self.lists.mkdir()
        (keys / "wurzel.pem").write_bytes(self.ca.certificate.public_bytes(Encoding.PEM))
        ring = keys / "keyring.toml"
        told = ring.read_text().replace("require = []", 'require = ["content-signature", "trusted"]')
        head = 'revocation = "hard"\nrevocation_folder = "sperrlisten"\nrevocation_grace_hours = 1\n'
        ring.write_text(head + told + '\n[[trust]]\npem = "wurzel.pem"\npurpose = ["content"]\n')

    def letter(self, number: int = 1) -> str:
        """Take one letter signed by the signer."""
        author = Identity(self.signer.certificate, HeldKey(self.signer.key, self.signer.certificate))
        parties = replace(self.rig.site.pki.parties, authors=(author,))
        signed = replace(
            sample_letter(number, now=self.rig.clock()), content_signatures=(SignatureMethod.ECDSA_SHA256,)
        )
        body = seal(signed, parties=parties, random=secrets.token_bytes, now=self.rig.clock())
        return self.rig.take(body, f"portal/{number}").nachricht_id

    def publish(self, name: str, *revoked: Authority, ago: timedelta = timedelta(hours=2)) -> bytes:
        """Put a list of now into the folder; what is on it was revoked so long before."""
        now = self.rig.clock()
        data = self.ca.crl({one.certificate: now - ago for one in revoked}, made=now, until=now + timedelta(hours=6))
        (self.lists / f".{name}").write_bytes(data)
        (self.lists / f".{name}").rename(self.lists / name)
        return data


@pytest.fixture
def court(rig: Rig) -> Court:
    """The rig, made strict."""
    return Court(rig)


def test_what_cannot_be_told_waits(court: Court) -> None:
    """Without a list the submission waits for the operator, not for the sender; a list lets it go on by itself."""
    rig = court.rig
    nachricht_id = court.letter()
    rig.work()
    waiting = rig.get(nachricht_id)

    assert (waiting.state, waiting.wait_reason) == (NachrichtState.RECEIVED, "signature.undetermined")
    assert "signature.undetermined" in str(explain(waiting, (), rig.clock()).lines)
    assert rig.answers() == []

    rig.clock.advance(timedelta(hours=1))
    data = court.publish("wurzel.crl")
    rig.work()
    done = rig.get(nachricht_id)

    assert done.state is NachrichtState.COMPLETED
    assert done.pins["revocation"] == source_of(data)
    content = [fact for fact in done.plan["facts"]["signatures"] if fact["layer"] == "content"]
    assert [(fact["trusted"], fact["revocation"]) for fact in content] == [(True, [source_of(data)])]


def test_a_revoked_signer_is_refused(court: Court) -> None:
    """Revoked before the receipt: the sender is told, with the reason among the findings."""
    rig = court.rig
    court.publish("wurzel.crl", court.signer)
    nachricht_id = court.letter()
    rig.work()

    assert (rig.get(nachricht_id).state, rig.get(nachricht_id).verdict_code) == (
        NachrichtState.REJECTED,
        "signature.required",
    )
    assert "signature.revoked" in {finding["code"] for finding in rig.answers()[0]["findings"]}


def test_a_later_list_changes_no_judgement(court: Court) -> None:
    """A fresh look with the same material and newer beside it agrees with what was committed, as of the receipt."""
    rig = court.rig
    court.publish("heute.crl")
    rig.clock.advance(timedelta(minutes=5))
    nachricht_id = court.letter()
    rig.work()
    rig.clock.advance(timedelta(hours=1))
    court.publish("morgen.crl", court.signer)

    fresh = rejudge(rig.store, rig.configuration.bank(), rig.get(nachricht_id), actor="anna", now=rig.clock())

    assert (fresh.outcome, fresh.output) == ("accepted", "same")


def test_a_later_attempt_judges_nothing(court: Court) -> None:
    """What was planned is delivered, though the list of then is gone and today's would say no."""
    rig = court.rig
    court.publish("wurzel.crl")
    nachricht_id = court.letter()
    occupied = rig.site.occupy(nachricht_id)
    rig.work()
    assert rig.get(nachricht_id).state is NachrichtState.PLANNED

    occupied.unlink()
    rig.clock.advance(timedelta(hours=1))
    court.publish("wurzel.crl", court.signer)
    rig.work()

    assert rig.get(nachricht_id).state is NachrichtState.COMPLETED


@pytest.fixture
def directory(rig: Rig) -> Path:
    """An installation with an empty partner directory, opened anew."""
    config = rig.site.config
    folder = rig.site.folder / "partner"
    folder.mkdir()
    (folder / "partners.toml").write_text("")
    named = 'routes = "routes.toml"\npartners = "partner/partners.toml"'
    config.write_text(config.read_text().replace('routes = "routes.toml"', named))
    rig.close()
    rig.installation = open_installation(config)
    rig.configuration = Configuration(rig.installation.settings)
    rig.worker = rig.new_worker()
    return folder / "partners.toml"


def _old(rig: Rig, number: int) -> Letter:
    return replace(sample_letter(number, now=rig.clock()), content_cipher=OLD, attachment_cipher=OLD)


def test_an_exception_comes_and_goes(rig: Rig, directory: Path) -> None:
    """No restart: refused before, accepted with the exception in its pins, refused by name and date after the end."""
    before = rig.submit(_old(rig, 1), "portal/1")
    rig.work()
    until = rig.clock() + timedelta(days=1)
    directory.write_text(PARTNER.format(until=until.isoformat()))
    during = rig.submit(_old(rig, 2), "portal/2")
    rig.work()
    rig.clock.advance(timedelta(days=1))
    after = rig.submit(_old(rig, 3), "portal/3")
    rig.work()

    assert [rig.get(one).verdict_code for one in (before, during, after)] == ["policy.algorithm", "", "policy.expired"]
    rule = f"ags:05513000 until {until.date().isoformat()}"
    assert rig.get(during).pins["policy"] == f"legacy@1 for {rule}"
    told = [finding for answer in rig.answers() for finding in answer.get("findings", [])]
    assert [rule] == [one["rule"] for one in told if one["code"] == "policy.expired"]
    assert rule in str(explain(rig.get(after), (), rig.clock()).lines)


def test_a_broken_directory_leaves_the_one_before_in_force(rig: Rig, directory: Path) -> None:
    """A slip of the pen, or a certificate that is gone, takes no partner away; mending it makes the next generation."""
    directory.write_text(PARTNER.format(until="2027-03-31T22:00:00Z"))
    good = rig.configuration.bank()
    assert "ags:05513000" in good.circles.partners

    directory.write_text(PARTNER.format(until="soon"))
    assert rig.configuration.bank() is good
    directory.write_text(PARTNER.format(until="2027-03-31T22:00:00Z").replace(".cert.pem", ".gone.pem"))
    assert rig.configuration.bank() is good

    certificate = rig.site.folder / "keys" / "intermediary-signature.cert.pem"
    (certificate.parent / "intermediary-signature.gone.pem").write_bytes(certificate.read_bytes())
    assert rig.configuration.bank() is not good
