"""The signing key of the audit is changed: announced by the old one, verifiable ever after, unknown ones are named."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from intermediary.audit.verify import Defect, Report, fingerprint
from intermediary.core.faults import Misconfigured
from intermediary.daemon.chores import Chores
from intermediary.keys.signing import SigningKey, create_signing_key
from intermediary.operations import rotate as rotating
from intermediary.operations.dossier import dossier
from intermediary.operations.person import Request
from intermediary.operations.prove import verify_file, verify_installation, write_export
from intermediary.operations.rotate import Rotated, rotate_key
from intermediary.testing.samples import sample_letter
from intermediary.wiring import Installation, open_installation
from tests.acceptance.office import Office
from tests.acceptance.rig import Rig

WHY = Request("a.adler", "Jahreswechsel")


class Trail:
    """A rig whose daemon goes on sealing, whatever happens to its key."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.data = rig.installation.settings.installation.data
        self.chores = Chores(rig.installation, rig.configuration, now=rig.clock)
        self.submitted = 0

    def tick(self) -> str:
        """Something happens and is sealed; the id of the Nachricht."""
        self.submitted += 1
        own = self.rig.submit(sample_letter(self.submitted, now=self.rig.clock()), f"portal/{self.submitted}")
        self.rig.clock.advance(timedelta(seconds=10))
        self.chores.do()
        return own

    def rotate(self) -> Rotated:
        self.rig.clock.advance(timedelta(seconds=1))
        return rotate_key(self.rig.installation, WHY, now=self.rig.clock())

    def verified(self, *previous: Path) -> Report:
        installation = self.reopened(*previous)
        try:
            return verify_installation(installation)
        finally:
            installation.store.close()

    def reopened(self, *previous: Path) -> Installation:
        text = self.rig.site.config.read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if not line.startswith("previous_keys")]
        place = lines.index("[audit]") + 1
        lines.insert(place, f"previous_keys = {json.dumps([str(one) for one in previous])}")
        self.rig.site.config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return open_installation(self.rig.site.config)


@pytest.fixture
def trail(rig: Rig) -> Trail:
    """An installation with two heads."""
    made = Trail(rig)
    made.tick()
    made.tick()
    return made


def _told(report: Report) -> list[tuple[Defect, str]]:
    return [(problem.defect, problem.what) for problem in report.problems]


def test_heads_of_all_keys_verify(trail: Trail) -> None:
    """Two changes under a running daemon: no restart, no gap, every head by its key."""
    first = trail.rotate()
    trail.tick()
    second = trail.rotate()
    trail.tick()
    current = fingerprint(SigningKey(trail.data / "audit.key").public_pem())
    report = trail.verified(first.old_public, second.old_public)

    assert (first.new, second.new) == (second.old, current)
    assert [] == _told(report)
    assert report.last_head == report.sealed > 0


def test_the_change_is_an_event_under_the_old_key(trail: Trail) -> None:
    """Who, why, from which key to which; sealed by the key that goes."""
    old = SigningKey(trail.data / "audit.key").public_pem()
    done = trail.rotate()
    [entry] = [one for one in trail.rig.store.events_of_installation() if one.event.name == "audit.key-changed"]
    head = next(one for one in trail.rig.store.heads() if one.size >= (entry.number or 0))

    assert ("a.adler", "Jahreswechsel") == (entry.event.actor, entry.event.fields["reason"])
    assert (done.old, done.new) == (entry.event.fields["old_key"], entry.event.fields["new_key"])
    assert fingerprint(old) == done.old == fingerprint(done.old_public.read_bytes())
    assert (0o600, False) == (
        (trail.data / "audit.key").stat().st_mode & 0o777,
        (trail.data / "audit.key.next").exists(),
    )
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    load_pem_public_key(old).verify(head.signature, head.signed())  # type: ignore[call-arg, union-attr]


def test_an_old_key_that_is_not_named_is_asked_for(trail: Trail) -> None:
    """Without `previous_keys` the report says which key is missing, by its fingerprint."""
    done = trail.rotate()
    trail.tick()

    assert {(Defect.KEY_UNKNOWN, done.old)} == set(_told(trail.verified()))


def test_a_key_nobody_announced_is_named(trail: Trail) -> None:
    """Whoever puts another key in its place, old public key and all, has not the old one's word for it."""
    old = trail.data / "old.pem"
    old.write_bytes(SigningKey(trail.data / "audit.key").public_pem())
    (trail.data / "audit.key").unlink()
    stranger = create_signing_key(trail.data / "audit.key")
    trail.tick()

    assert [(Defect.KEY_UNANNOUNCED, fingerprint(stranger.public_pem()))] == _told(trail.verified(old))


def test_an_old_key_that_signs_on_is_named(trail: Trail, tmp_path: Path) -> None:
    """After the change the old key is worth nothing any more."""
    kept = (trail.data / "audit.key").read_bytes()
    done = trail.rotate()
    trail.tick()
    file = trail.data / "audit.key"
    new_public = tmp_path / "new.pem"
    new_public.write_bytes(SigningKey(file).public_pem())
    file.write_bytes(kept)
    trail.tick()

    assert [(Defect.KEY_UNANNOUNCED, done.old)] == _told(trail.verified(new_public))


@pytest.mark.parametrize(
    "step", ["create_signing_key", "_keep", "_is_announced", "copy_missing", "replace_signing_key"]
)
def test_a_crash_in_between_harms_nothing(trail: Trail, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Before any step the daemon goes on with a key that verifies, and a second call ends what the first began."""

    class Crash(BaseException):
        pass

    def crash(*_: object, **__: object) -> None:
        raise Crash

    old = trail.data / "old.pem"
    old.write_bytes(SigningKey(trail.data / "audit.key").public_pem())
    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(rotating, step, crash)
        trail.rotate()
    trail.tick()
    assert [] == _told(trail.verified(old))
    done = trail.rotate()
    trail.tick()
    changes = [one for one in trail.rig.store.events_of_installation() if one.event.name == "audit.key-changed"]

    assert [] == _told(trail.verified(done.old_public))
    assert 1 == len(changes)


def test_dossier_and_export_carry_every_key(trail: Trail, tmp_path: Path) -> None:
    """A Nachricht sealed by the old key and proved after the change; the export with both."""
    own = trail.tick()
    done = trail.rotate()
    trail.tick()
    installation = trail.reopened(done.old_public)
    (tmp_path / "d.json").write_text(json.dumps(dossier(installation, own, trail.rig.clock())), encoding="utf-8")
    write_export(installation, tmp_path / "export")
    installation.store.close()

    for path in (tmp_path / "d.json", tmp_path / "export"):
        is_sound, told = verify_file(path, keys=[], heads=None)
        assert is_sound, told


def test_a_previous_key_that_cannot_be_read_is_a_mistake(trail: Trail, tmp_path: Path) -> None:
    """It is named with its setting."""
    (tmp_path / "x.pem").write_text("x", encoding="utf-8")
    with pytest.raises(Misconfigured, match=r"previous_keys: .*x\.pem"):
        trail.verified(tmp_path / "x.pem")


def test_the_verb_says_what_to_do_next(own: Office) -> None:
    """Fingerprints, where the old public key is, and the line for the configuration; a reason is demanded."""
    refused, done = own.call("audit", "rotate-key"), own.call("audit", "rotate-key", "--reason", "Jahreswechsel")
    said = own.call("audit", "verify", "--json")

    assert (2, 0, 1) == (refused.code, done.code, said.code)
    assert "previous_keys" in done.out
    assert {"key-unknown"} == {problem["defect"] for problem in said.rows[0]["problems"]}
