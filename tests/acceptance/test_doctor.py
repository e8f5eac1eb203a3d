"""What `lint` and `doctor` say about keyrings, store, second place and doors, and that looking changes nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from intermediary.audit.second_place import HEADS_FILE
from intermediary.cli.configure import lint as lint_command
from intermediary.daemon.chores import Chores
from intermediary.keys.wrap import create_kek
from intermediary.operations.check import Diagnosis, demand_sound, doctor, lint
from intermediary.settings.finding import Finding
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from intermediary.testing.servers import PrivateRabbit
from tests.acceptance.rig import Clock, Rig


@pytest.fixture
def fresh(tmp_path: Path, pki: Pki) -> Site:
    """An installation that has never run."""
    return make_site(tmp_path / "fresh", now=Clock()(), settings=golden_settings(), pki=pki)


@pytest.fixture
def used(rig: Rig) -> Iterator[Site]:
    """An installation with one Nachricht and one head in the second place."""
    rig.submit(sample_letter(1, now=rig.clock()), "portal/1")
    Chores(rig.installation, rig.configuration, now=rig.clock).do()
    rig.clock.advance(timedelta(seconds=10))
    rig.close()
    return rig.site


def _look(site: Site) -> dict[str, list[Diagnosis]]:
    found: dict[str, list[Diagnosis]] = {}
    for one in doctor(site.config, Clock()()):
        found.setdefault(one.subject, []).append(one)
    return found


def _tree(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every folder with its mode, every file with mode, stamp and content; but what SQLite needs while one looks."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".db-shm", ".db-wal"):
            stamp, content = (path.stat().st_mtime_ns, path.read_bytes()) if path.is_file() else (0, b"")
            found[str(path.relative_to(folder))] = (path.stat().st_mode, stamp, content)
    return found


def _edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))


# the store


def test_doctor_creates_nothing(fresh: Site) -> None:
    """An installation without a store has none afterwards, either."""
    before = _tree(fresh.folder)

    (store,) = _look(fresh)["store"]

    assert "not created yet" in store.what
    assert "bad" != store.verdict
    assert before == _tree(fresh.folder)


def test_doctor_changes_nothing(used: Site) -> None:
    """Modes, left-overs of an intake and notes in the store stay as they are."""
    (used.folder / "data").chmod(0o750)
    (used.folder / "data" / "blobs" / "incoming" / "left-over").write_bytes(b"x")
    before = _tree(used.folder)

    (store,) = _look(used)["store"]

    assert ("ok", "1 Nachricht") == (store.verdict, store.what)
    assert before == _tree(used.folder)


def test_an_unusable_data_folder_is_named_and_the_rest_goes_on(used: Site) -> None:
    """A bad line with the setting and the path; doors and targets are looked at all the same."""
    shutil.rmtree(used.folder / "data")
    (used.folder / "data").write_text("no folder")

    found = _look(used)

    assert ["bad"] == [one.verdict for one in found["store"]]
    assert f"installation.data: {used.folder / 'data'}" in found["store"][0].what
    assert {"door eingang", "answers of eingang", "target musterstadt/bewohnerparken/eakte"} <= set(found)


def test_a_file_that_is_no_database_is_named(used: Site) -> None:
    """A damaged database is a bad line with its path, not the end of the look."""
    database = used.folder / "data" / "store.db"
    for beside in (used.folder / "data").glob("store.db-*"):
        beside.unlink()
    database.write_bytes(b"this is no database" * 1000)

    found = _look(used)

    assert "bad" == found["store"][0].verdict
    assert str(database) in found["store"][0].what
    assert "door eingang" in found


def test_a_wrong_kek_is_bad(used: Site) -> None:
    """It names file, Mandant and how many Nachrichten it does not fit."""
    kek = used.folder / "secrets" / "musterstadt.kek"
    kek.unlink()
    create_kek(kek)

    (store,) = _look(used)["store"]

    assert "bad" == store.verdict
    assert f"kek_file {kek} does not fit 1 Nachrichten of musterstadt" in store.what


# the second place


def _heads(site: Site) -> list[Diagnosis]:
    return _look(site)["audit heads"]


def test_the_second_place_is_up_to_date(used: Site) -> None:
    """Up to the last head; a place on the file system of the data is only a warning."""
    ok, same = _heads(used)

    assert ("ok", "warning") == (ok.verdict, same.verdict)
    assert "up to the last head" in ok.what
    assert "same file system" in same.what


@pytest.mark.parametrize(
    ("harm", "said"),
    [("missing", "there is no folder"), ("empty", "has none of the heads"), ("ahead", "has been put back")],
)
def test_a_second_place_that_does_not_fit_is_bad(used: Site, harm: str, said: str) -> None:
    """Missing, empty, or further than the store: each is bad and names the folder."""
    folder = used.folder / "audit-heads"
    if harm == "missing":
        shutil.rmtree(folder)
    elif harm == "empty":
        (folder / HEADS_FILE).unlink()
    else:
        shutil.rmtree(used.folder / "data")

    (bad,) = [one for one in _heads(used) if one.verdict == "bad"]

    assert said in bad.what
    assert str(folder) in bad.what
    assert bad.hint


# doors


def test_a_folder_door_tells_what_lies_there(used: Site) -> None:
    """How many files wait, and how many were refused."""
    for name in ("a.osci", "b.osci", ".c.part"):
        (used.inbox / name).write_bytes(b"x")
    (used.inbox / ".refused").mkdir()
    (used.inbox / ".refused" / "d.osci").write_bytes(b"x")
    (used.inbox / ".refused" / "d.osci.reason.txt").write_text("intake.body.empty")

    (door,) = _look(used)["door eingang"]

    assert "2 files waiting, 1 refused" in door.what
    assert "warning" == door.verdict


def _with_broker(site: Site, url: str) -> None:
    (site.folder / "secrets" / "broker.url").write_text(url)
    (site.folder / "secrets" / "broker.url").chmod(0o600)
    with site.config.open("a") as file:
        file.write(
            '\n[[channel]]\nname = "rabbit"\ntype = "amqp"\nmandanten = ["musterstadt"]\n'
            '[channel.amqp]\nurl_file = "secrets/broker.url"\nqueue = "antraege"\n'
            '[channel.answer]\ntype = "amqp"\nqueue = "quittungen"\n'
        )


def test_a_broker_that_does_not_answer_is_named_without_its_password(used: Site) -> None:
    """Host and port at the door and at the way back; neither account nor password."""
    _with_broker(used, "amqp://konto:CANARY-password@127.0.0.1:1/%2F")

    found = _look(used)

    for subject in ("door rabbit", "answers of rabbit"):
        assert "bad" == found[subject][0].verdict
        assert "127.0.0.1:1" in found[subject][0].what
    assert "CANARY" not in json.dumps([[one.what, one.hint] for lines in found.values() for one in lines])


def test_a_queue_that_is_not_there_yet(used: Site, rabbit: PrivateRabbit) -> None:
    """The door declares its queue itself, so a missing one is a warning that names queue and address."""
    _with_broker(used, rabbit.url)

    (door,) = _look(used)["door rabbit"]

    assert "warning" == door.verdict
    assert "antraege" in door.what


# every bad line


def test_every_bad_line_names_a_path(used: Site) -> None:
    """Whoever reads it knows where to go."""
    for name in ("eingang", "quittungen", "fachverfahren", "audit-heads"):
        shutil.rmtree(used.folder / name)

    bad = [one for lines in _look(used).values() for one in lines if one.verdict == "bad"]

    assert {"door eingang", "answers of eingang", "target musterstadt/bewohnerparken/eakte", "audit heads"} <= {
        one.subject for one in bad
    }
    assert [] == [one for one in bad if str(used.folder) not in one.what]


def test_a_file_of_one_target_keeps_nobody_from_starting(used: Site) -> None:
    """`lint` does not call it sound; the daemon starts, and `doctor` says it once, where the target is asked."""
    routes = used.folder / "routes.toml"
    head = routes.read_text().partition("[[route.target]]")[0]
    settings = (
        'settings = { url = "https://fv.example/", idempotency = "native", http = { ca_file = "missing.pem" } }\n'
    )
    routes.write_text(f'{head}[[route.target]]\nname = "fv"\nconnector = "rest"\n{settings}')
    said = CliRunner().invoke(lint_command, ["-c", str(used.config)])
    demand_sound(used.config)
    told = [one.what for lines in _look(used).values() for one in lines if "ca_file" in one.what]

    assert 2 == said.exit_code
    assert "rest: ca_file" in said.output
    assert 1 == len(told)


# keyrings


def _keyring_findings(site: Site) -> list[Finding]:
    return [finding for finding in lint(site.config) if finding.file.name == "keyring.toml"]


def test_all_mistakes_of_a_keyring_are_found(fresh: Site) -> None:
    """Unknown policy and unknown key in one run, each with what is allowed, the file once per line."""
    ring = fresh.folder / "keys" / "keyring.toml"
    _edit(ring, 'policy = "osci"', 'policy = "streng"')
    _edit(ring, "purpose", "purpos")

    found = {finding.path: finding for finding in _keyring_findings(fresh)}

    assert {"policy", "trust[1].purpos"} == set(found)
    assert "strict, osci, legacy" in found["policy"].hint
    assert "did you mean purpose?" in found["trust[1].purpos"].hint
    for finding in found.values():
        assert finding.is_blocking
        assert 1 == " ".join(finding.lines()).count("keyring.toml")


@pytest.mark.parametrize(
    ("stage", "require", "has_trust", "is_warned"),
    [
        ("production", '"content-signature"', False, True),
        ("production", '"content-signature"', True, False),
        ("test", '"content-signature"', False, False),
        ("production", "", False, False),
    ],
)
def test_a_signature_that_nobody_vouches_for(
    fresh: Site, stage: str, require: str, has_trust: bool, is_warned: bool
) -> None:
    """Without an anchor a demanded signature is mathematics only: a warning at production routes."""
    if not has_trust:
        ring = fresh.folder / "keys" / "keyring.toml"
        ring.write_text(ring.read_text().partition("[[trust]]")[0])
    routes = fresh.folder / "routes.toml"
    _edit(routes, 'stage = "test"', f'stage = "{stage}"')
    _edit(routes, 'require = ["content-signature"]', f"require = [{require}]")

    found = [finding for finding in lint(fresh.config) if finding.path.endswith(".require")]

    assert is_warned == bool(found)
    for finding in found:
        assert not finding.is_blocking
        assert "keyring.toml" in finding.what
        assert '"trusted"' in finding.hint
