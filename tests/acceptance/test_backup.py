"""Backup and restore, from the command line: whole, without keys, checked before, and honest about what is lost (F22)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from intermediary.keys.signing import create_signing_key
from intermediary.keys.wrap import create_kek
from intermediary.testing.postgres import PrivatePostgres
from intermediary.testing.samples import sample_letter
from intermediary.wiring import Configuration, open_installation
from tests.acceptance.command import Said, call
from tests.acceptance.office import Office
from tests.acceptance.rig import Rig

WHY = ("--reason", "Platte verloren")


@pytest.fixture
def backups(own: Office) -> Path:
    """The office's folder of backups, with one in it."""
    assert 0 == own.call("backup", "-o", own.folder / "backups").code
    return own.folder / "backups"


def _lose(folder: Path) -> Path:
    """The disk is gone; the audit key was kept elsewhere. Where that is."""
    safe = folder / "safe.key"
    shutil.copy(folder / "data/audit.key", safe)
    shutil.rmtree(folder / "data")
    return safe


def _restore(office: Office, backups: Path, *more: str | Path) -> Said:
    return office.call("restore", backups, *WHY, "--audit-key", _lose(office.folder), *more)


def _run(backups: Path) -> Path:
    (run,) = (backups / "runs").iterdir()
    return run


def _check(office: Office, backups: Path) -> tuple[int, str]:
    said = office.call("restore", backups, "--check", "--json")
    bad = [one["text"] for one in said.rows[0]["findings"] if one["verdict"] == "bad"] if said.out else [said.err]
    return said.code, " | ".join(bad)


def test_what_was_there_comes_back(own: Office, backups: Path) -> None:
    """Rows, payloads and trail are as before; only what may have happened since is in doubt, and the trail verifies."""
    before = {row["id"]: row for row in own.call("state", "--all", "--json").rows}
    restored = _restore(own, backups)
    after = {row["id"]: row for row in own.call("state", "--all", "--json").rows}

    assert 0 == restored.code, restored
    assert "Wiederherstellung am" in restored.out
    assert before.keys() == after.keys()
    changed = {name for name, one in own.ids.items() if before[one] != after[one]}
    assert {"full", "stuck"} == changed
    (full,), (stuck,) = after[own.ids["full"]]["zustellungen"], after[own.ids["stuck"]]["zustellungen"]
    assert ("unclear", "parked") == (full["state"], stuck["state"])
    assert "delivery.restored" == after[own.ids["stuck"]]["code"]
    assert "unversehrt" in own.call("audit", "verify").out
    opened = open_installation(own.config)
    assert all(opened.store.body(one).read() for one in own.ids.values())
    opened.store.close()


def test_no_key_is_in_a_backup(own: Office, backups: Path) -> None:
    """Neither KEK nor private key nor the audit key; only their names, and everything readable by the owner alone."""
    secrets = [path.read_bytes().strip() for path in (own.folder / "secrets").iterdir()]
    secrets += [(own.folder / "data/audit.key").read_bytes().strip()]
    files = [path for path in backups.rglob("*") if path.is_file()]

    assert files
    for file in files:
        data = file.read_bytes()
        assert not any(secret in data for secret in secrets), file
        assert b"PRIVATE KEY" not in data, file
        assert 0 == file.stat().st_mode & 0o077, file
    manifest = json.loads((_run(backups) / "manifest.json").read_bytes())
    assert ["musterstadt"] == list(manifest["needed"]["keks"])
    assert 0 == backups.stat().st_mode & 0o077


def test_data_keys_lie_apart(own: Office, backups: Path, tmp_path: Path) -> None:
    """The rows hold none of them; without their file the check says so; with another folder they lie there."""
    again = own.call("backup", "-o", tmp_path / "other", "--keys", tmp_path / "keys", "--json")
    (keys,) = (tmp_path / "keys").iterdir()

    assert len(own.ids) == len(keys.read_text().splitlines())
    assert again.rows[0]["keys"] == str(keys)
    assert not (tmp_path / "other/keys").exists()
    without = own.call("restore", tmp_path / "other", "--check", "--json")
    assert 1 == without.code
    assert "Datenschlüssel" in without.out
    assert 0 == own.call("restore", tmp_path / "other", "--keys", tmp_path / "keys", "--check").code


def test_the_next_step_names_the_folder_of_the_keys(own: Office, tmp_path: Path) -> None:
    """What a backup says to type finds its data keys; a check without them names their folder's option, and it alone."""
    made = own.call("backup", "-o", tmp_path / "other", "--keys", tmp_path / "keys")
    without = own.call("restore", tmp_path / "other", "--check")

    assert f"--keys {tmp_path / 'keys'}" in made.lines[-1]
    assert 0 == own.call("restore", *made.lines[-1].split(" restore ")[1].split(" -c ")[0].split(), "--check").code
    assert "--keys" in without.out
    assert "payload.erased" not in without.out
    assert "NICHT brauchbar" in without.lines[-1]


def test_a_second_backup_copies_what_is_new(own: Office, backups: Path) -> None:
    """Payloads never change: those of the first are not copied again, and each run is whole by itself."""
    letter = own.folder / "neu.osci"
    letter.write_bytes(b"MIME-Version: 1.0\r\n\r\nkein Antrag\r\n")
    own.call("submit", letter, "--message-id", "neu")
    first = _run(backups)
    made = own.call("backup", "-o", backups, "--json").rows[0]

    assert (1, len(own.ids) + 1) == (made["copied"], made["payloads"])
    assert 0 == own.call("restore", first, "--check").code
    assert 0 == own.call("restore", backups, "--check").code


def test_nothing_is_restored_over_something(own: Office, backups: Path) -> None:
    """A store with anything in it is left alone, and so is one without the key that signs its trail."""
    before = own.call("state", "--all", "--json").out
    filled = own.call("restore", backups, *WHY)

    assert 2 == filled.code
    assert "liegt schon ein Speicher" in filled.err
    assert before == own.call("state", "--all", "--json").out
    _lose(own.folder)
    keyless = own.call("restore", backups, *WHY)
    assert 2 == keyless.code
    assert "--audit-key" in keyless.err
    assert not (own.folder / "data/store.db").exists()
    silent = own.call("restore", backups, "--audit-key", own.folder / "safe.key")
    assert (2, True) == (silent.code, "reason" in silent.err)


def test_a_lost_data_folder_is_not_begun_anew(own: Office) -> None:
    """The second place knows heads, so there was a store: no command makes an empty one, or a key, in its stead."""
    _lose(own.folder)
    listed, verified = own.call("list"), own.call("audit", "verify")

    assert (2, 2) == (listed.code, verified.code)
    assert "nicht eingehängt" in listed.err
    assert "docs/howto/backup.md" in listed.err
    assert not (own.folder / "data/audit.key").exists()
    assert not (own.folder / "data/store.db").exists()


def test_a_key_that_came_later_signs_nothing(own: Office, backups: Path) -> None:
    """Another audit key lies in the data folder after the loss: with it nothing is restored, nor beside it."""
    safe = _lose(own.folder)
    (own.folder / "data").mkdir(mode=0o700)
    create_signing_key(own.folder / "data/audit.key")
    made_anew = (own.folder / "data/audit.key").read_bytes()
    given = own.call("restore", backups, *WHY, "--audit-key", safe)
    silent = own.call("restore", backups, *WHY)

    assert (2, 2) == (given.code, silent.code)
    assert "anderer Schlüssel" in given.err
    assert made_anew == (own.folder / "data/audit.key").read_bytes()
    (own.folder / "data").rename(own.folder / "aside")
    restored = own.call("restore", backups, *WHY, "--audit-key", safe)
    assert (0, True) == (restored.code, "unversehrt" in restored.out), restored


DAMAGES = {
    "a changed row": lambda run, _backups: _flip(run / "rows.db"),
    "a changed manifest": lambda run, _backups: _edit(run / "manifest.json", b'"nachrichten": 7', b'"nachrichten": 6'),
    "a missing file": lambda run, _backups: (run / "heads.jsonl").unlink(),
    "another file": lambda run, _backups: (run / "dazu.txt").write_text("x"),
    "a changed payload": lambda _run, backups: _flip(next(backups.glob("blobs/??/*"))),
    "a missing payload": lambda _run, backups: next(backups.glob("blobs/??/*")).unlink(),
    "changed data keys": lambda _run, backups: _flip(next((backups / "keys").iterdir())),
    "missing data keys": lambda _run, backups: next((backups / "keys").iterdir()).unlink(),
}


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0x01
    file.write_bytes(data)


def _edit(file: Path, old: bytes, new: bytes) -> None:
    assert old in file.read_bytes()
    file.write_bytes(file.read_bytes().replace(old, new))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_backup_is_recognised(own: Office, backups: Path, damage) -> None:
    """Whatever was changed, cut or lost: the check finds it, ends with 1, and a restore does not begin."""
    damage(_run(backups), backups)
    code, bad = _check(own, backups)

    assert (1, True) == (code, bool(bad))
    refused = _restore(own, backups)
    assert 2 == refused.code
    assert not (own.folder / "data/store.db").exists()


def test_a_backup_of_somebody_else_is_refused(own: Office, backups: Path) -> None:
    """Another installation's name, or another KEK: both are found before anything is restored."""
    text = own.config.read_text()
    own.config.write_text(text.replace('name = "demo"', 'name = "andere"'))
    assert 1 == _check(own, backups)[0]
    assert "nicht von andere" in _check(own, backups)[1]
    own.config.write_text(text)
    (own.folder / "secrets/musterstadt.kek").unlink()
    create_kek(own.folder / "secrets/musterstadt.kek")
    code, bad = _check(own, backups)

    assert 1 == code
    assert "key.unavailable" in bad


def test_what_was_erased_is_gone_with_its_key(own: Office, backups: Path) -> None:
    """After 14 days a run's data keys are removed with the payloads only it could open; the rows stay to testify."""
    run = _run(backups)
    old = run.with_name("2026-10-01T00-00-00.000000Z")
    run.rename(old)
    keys = next((backups / "keys").iterdir())
    keys.rename(keys.with_name(f"{old.name}.jsonl"))
    stray = backups / "blobs/ab/abgelaufen.0123"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"x")
    made = own.call("backup", "-o", backups, "--keep-days", "400", "--json").rows[0]

    assert [f"{made['run']}.jsonl"] == [path.name for path in (backups / "keys").iterdir()]
    assert old.is_dir()
    assert (False, 1) == (stray.exists(), made["pruned"])
    code, bad = _check(own, old)
    assert (1, True) == (code, "Datenschlüssel" in bad)
    assert not list(backups.rglob("*.part"))


def test_people_can_read_the_check(own: Office, backups: Path) -> None:
    """German lines of a terminal's width, the gap and a last word."""
    said = own.call("restore", backups, "--check")

    assert 0 == said.code
    assert "Brauchbar." == said.lines[-1]
    assert any("Fraglich: 1 Zustellungen" in line for line in said.lines)
    assert all(len(line) <= 100 for line in said.lines)


@pytest.fixture
def later(rig: Rig, tmp_path: Path) -> tuple[Rig, Path]:
    """A rig that was backed up before its messages went out, went on, and lost its disk."""
    for number in range(3):
        _submit(rig, number)
    rig.site.occupy(rig.submit(sample_letter(9, now=rig.clock()), "voll"))
    rig.worker.work_once()
    _seal(rig)
    rig.close()
    assert 0 == call("backup", "-o", tmp_path / "backups", "-c", rig.site.config).code
    _reopen(rig)
    rig.work()
    _submit(rig, 4)
    rig.work()
    _seal(rig)
    rig.close()
    return rig, tmp_path / "backups"


def _submit(rig: Rig, number: int) -> str:
    """The same bytes under the same id, however often."""
    file = rig.site.folder / f"m-{number}.osci"
    if not file.exists():
        file.write_bytes(rig.seal(sample_letter(number, now=rig.clock())))
    return rig.take(file.read_bytes(), file.stem).nachricht_id


def _seal(rig: Rig) -> None:
    from intermediary.audit.second_place import copy_missing

    rig.store.seal_heads(rig.installation.signing.sign, now=rig.clock())
    copy_missing(rig.installation.settings.audit.heads_folder, rig.store.heads)


def _reopen(rig: Rig) -> None:
    rig.installation = open_installation(rig.site.config)
    rig.configuration = Configuration(rig.installation.settings)
    rig.worker = rig.new_worker()


def test_a_store_older_than_its_target_doubles_nothing(later: tuple[Rig, Path]) -> None:
    """F22: what was delivered after the backup is asked for and found; what is handed in again as well; one package each."""
    rig, backups = later
    packages = {path.name: path.read_bytes() for path in rig.packages()}
    checked = call("restore", backups, "--check", "--json", "-c", rig.site.config).rows[0]
    restored = call(*("restore", backups, *WHY, "--audit-key", _lose(rig.site.folder), "--json", "-c", rig.site.config))

    assert (0, True) == (restored.code, restored.rows[0]["auditIsOk"]), restored
    assert checked["lostTo"] == restored.rows[0]["lostTo"] > checked["auditSize"] > 0
    _reopen(rig)
    rig.fetch()  # what the Fachverfahren has taken out already
    repeated = {_submit(rig, number) for number in (0, 1, 2, 4)}
    rig.work()

    for nachricht_id in repeated:
        told = [entry.event for entry in rig.store.events(nachricht_id)]
        restored_at = next((i for i, event in enumerate(told) if event.fields.get("reason") == "restore"), 0)
        (zustellung,) = rig.store.zustellungen(nachricht_id)
        assert "delivered" == zustellung.state
        assert not any(event.name == "delivery.intended" for event in told[restored_at:]) or not restored_at
    assert 3 == sum(
        any(entry.event.fields.get("reason") == "restore" for entry in rig.store.events(one)) for one in repeated
    )
    assert set() == {path.name for path in rig.packages()} & {name for name, data in packages.items() if data}


def test_the_trail_explains_what_was_lost(later: tuple[Rig, Path]) -> None:
    """The second place knows more than the store: without the event of the restore that is a rollback, with it a loss."""
    rig, backups = later
    safe = _lose(rig.site.folder)
    call("restore", backups, *WHY, "--audit-key", safe, "-c", rig.site.config)
    good = call("audit", "verify", "--json", "-c", rig.site.config)
    told = call("audit", "verify", "-c", rig.site.config)

    assert (0, True) == (good.code, good.rows[0]["ok"]), good
    (restore,) = good.rows[0]["restored"]
    assert restore["lostTo"] > restore["size"]
    assert "sind verloren" in told.lines[-1]
    events = call("audit", "export", "-c", rig.site.config).rows
    (event,) = [line["event"] for line in events if line["event"]["name"] == "backup.restored"]
    assert (restore["size"], restore["lostTo"]) == (event["fields"]["size"], event["fields"]["lost_to"])


def test_a_restore_explains_its_own_loss_only(later: tuple[Rig, Path]) -> None:
    """Put back once more behind everybody's back, after an honest restore: that is found as ever."""
    rig, backups = later
    safe = _lose(rig.site.folder)
    call("restore", backups, *WHY, "--audit-key", safe, "-c", rig.site.config)
    quiet = rig.site.folder / "kopie"
    shutil.copytree(rig.site.folder / "data", quiet)
    _reopen(rig)
    rig.submit(sample_letter(7, now=rig.clock()), "danach")
    rig.work()
    rig.submit(sample_letter(8, now=rig.clock()), "danach-2")
    rig.work()
    rig.store.seal_heads(rig.installation.signing.sign, now=_after(rig))
    _seal(rig)
    rig.close()
    shutil.rmtree(rig.site.folder / "data")
    quiet.rename(rig.site.folder / "data")

    said = call("audit", "verify", "--json", "-c", rig.site.config)

    assert 1 == said.code
    assert "rolled-back" in {one["defect"] for one in said.rows[0]["problems"]}


def _after(rig: Rig):
    from intermediary.wiring import utc_now

    return max(utc_now(), rig.clock())


def test_what_has_not_arrived_goes_out(later: tuple[Rig, Path]) -> None:
    """What is in doubt and has not arrived goes out after the target was asked: the target is the truth, not the doubt."""
    rig, backups = later
    for place in (rig.site.drop, rig.site.folder / ".fachverfahren-state"):
        for path in place.iterdir():
            path.unlink()
    call("restore", backups, *WHY, "--audit-key", _lose(rig.site.folder), "-c", rig.site.config)
    _reopen(rig)
    rig.work()

    assert 3 == len(rig.packages())  # without the one whose delivery the backup already knew


def test_from_one_engine_to_the_other(own: Office, backups: Path, postgres: PrivatePostgres, tmp_path: Path) -> None:
    """What SQLite backed up is restored into PostgreSQL, backed up there without a superuser, and restored into SQLite."""
    secret = own.folder / "secrets/store.url"
    secret.touch(mode=0o600)
    secret.write_text(postgres.database())
    text = own.config.read_text()
    before = own.call("state", "--all", "--json").rows
    own.config.write_text(text + '\n[store]\nurl_file = "secrets/store.url"\n')

    first = _restore(own, backups)
    assert 0 == first.code, first
    made = own.call("backup", "-o", tmp_path / "zweite", "--json")
    assert 0 == made.code, made
    own.config.write_text(text)
    second = _restore(own, tmp_path / "zweite")

    assert 0 == second.code, second
    after = own.call("state", "--all", "--json").rows
    assert [row["id"] for row in before] == [row["id"] for row in after]
    assert 2 == second.out.count("Wiederherstellung am")


def test_others_can_verify_it_too(later: tuple[Rig, Path], tmp_path: Path) -> None:
    """The verifier that stands alone accepts the lost heads of the second place by the event, and only by it."""
    rig, backups = later
    call("restore", backups, *WHY, "--audit-key", _lose(rig.site.folder), "-c", rig.site.config)
    folder = tmp_path / "ausleitung"
    call("audit", "export", "-o", folder, "-c", rig.site.config)
    heads = rig.site.folder / "audit-heads"
    good = call("audit", "verify", folder, "--heads", heads)
    narrow = (folder / "events.jsonl").read_text()
    (line,) = [one for one in narrow.splitlines() if '"backup.restored"' in one]
    told = json.loads(line)["event"]["fields"]

    assert (0, True) == (good.code, "unversehrt" in good.out), good
    assert _explained_by(folder, heads, **told)
    assert not _explained_by(folder, heads, **{**told, "lost_to": told["lost_to"] - 1})
    assert not _explained_by(folder, heads, **{**told, "lost_head": "0" * 64})
    assert not _explained_by(folder, heads, **{**told, "lost_until": "2026-01-01T00:00:00.000000Z"})


def _explained_by(folder: Path, heads: Path, **told: object) -> bool:
    """Whether an event with these fields would explain all heads the export does not have."""
    from intermediary.audit import standalone

    own = [json.loads(line) for line in (folder / "heads.jsonl").read_text().splitlines()]
    keys = standalone.keys_in((folder / "keys.pem").read_text())
    elsewhere = [json.loads(line) for line in (heads / "heads.jsonl").read_text().splitlines()]
    try:
        standalone._check_second(own, elsewhere, keys, [told])
    except standalone.Bad:
        return False
    return True
