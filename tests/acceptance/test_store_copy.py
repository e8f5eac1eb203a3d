"""`store copy`: an installation goes on PostgreSQL where it stopped on SQLite, and never in both places."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.exc import OperationalError

from intermediary.cli.complain import USAGE
from intermediary.core.faults import Misconfigured, Transient
from intermediary.daemon.chores import Chores
from intermediary.keys.wrap import create_kek
from intermediary.operations import copy as operations
from intermediary.operations.copy import copy_installation
from intermediary.operations.prove import verify_installation
from intermediary.settings.load import load
from intermediary.settings.models import Settings
from intermediary.store import copy as rows
from intermediary.store.tables import METADATA, data_keys
from intermediary.testing.postgres import PrivatePostgres
from intermediary.testing.samples import sample_letter
from intermediary.wiring import Configuration, Installation, open_installation, store_url, utc_now
from tests.acceptance.rig import Rig


def unwatched(items, _label, _length):
    """Nobody looks."""
    return iter(items)


@pytest.fixture
def used(rig: Rig) -> Rig:
    """An installation that has delivered one Nachricht, has taken another one, and has sealed a part of its trail."""
    rig.submit(sample_letter(1, now=rig.clock()), "m-1")
    rig.work()
    Chores(rig.installation, rig.configuration, now=rig.clock).do()
    rig.submit(sample_letter(2, now=rig.clock()), "m-2")
    return rig


@pytest.fixture
def target(used: Rig, postgres: PrivatePostgres) -> Path:
    """The configuration of the same installation on an empty database, in the same data folder."""
    return _target(used, postgres.database())


def _target(used: Rig, url: str) -> Path:
    secret = used.site.folder / "secrets/store.url"
    secret.touch(mode=0o600)
    secret.write_text(url)
    file = used.site.folder / "postgresql.toml"
    file.write_text(used.site.config.read_text() + '\n[store]\nurl_file = "secrets/store.url"\n')
    return file


def _elsewhere(target: Path) -> Path:
    target.write_text(target.read_text().replace('data = "data"', 'data = "other-data"'))
    return target.parent / "other-data"


def _seen(installation: Installation) -> object:
    store = installation.store
    found = sorted(store.find(), key=lambda one: one.id)
    return (
        found,
        [store.zustellungen(one.id) for one in found],
        [store.events(one.id) for one in found],
        [store.body(one.id).read() for one in found],
        [store.headers(one.id) for one in found],
        store.heads(),
        list(store.all_events()),
    )


@pytest.mark.parametrize("folder", ["same", "other"])
def test_everything_is_there_and_goes_on(used: Rig, target: Path, folder: str) -> None:
    """Rows, payloads, heads and their key are the same; what was taken is delivered there; the trail verifies."""
    if folder == "other":
        _elsewhere(target)
    before = _seen(used.installation)
    used.installation.store.close()

    copied = copy_installation(used.site.config, target, watch=unwatched)

    installation = open_installation(target)
    assert before == _seen(installation)
    assert copied.audit.is_ok
    assert (2, 2) == (copied.rows["nachrichten"], copied.rows["data_keys"])
    again = Rig.__new__(Rig)
    again.clock, again.site, again.installation = used.clock, used.site, installation
    again.configuration = Configuration(installation.settings)
    again.new_worker().drain()
    used.clock.advance(timedelta(seconds=10))
    Chores(installation, again.configuration, now=used.clock).do()
    assert {"completed"} == {record.state.value for record in installation.store.find()}
    assert 2 == len(used.packages())
    assert verify_installation(installation).is_ok
    installation.store.close()


def test_the_old_store_works_no_more(used: Rig, target: Path) -> None:
    """Opening it says where it went; who has it open takes nothing."""
    copy_installation(used.site.config, target, watch=unwatched)

    with pytest.raises(Transient):
        used.submit(sample_letter(3, now=used.clock()), "m-3")
    with pytest.raises(Misconfigured) as fault:
        open_installation(used.site.config)
    assert "store.moved" == fault.value.code
    assert "127.0.0.1/" in fault.value.where


def _wrapped(used: Rig) -> bytes:
    """A wrapped data key of it."""
    with used.store.retention._db.read() as tx:
        return bytes(tx.scalars(select(data_keys.c.wrapped)).first() or b"")


def _places(folder: Path, what: bytes) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and what in path.read_bytes()]


def test_nothing_is_left_to_read_in_the_old_store(used: Rig, target: Path, postgres: PrivatePostgres) -> None:
    """Terms end in the new store only: of the old one its note stays, and none of its files holds a wrapped key (E)."""

    wrapped, data = _wrapped(used), used.site.folder / "data"
    assert {"store.db", "store.db-wal"} & set(_places(data, wrapped))

    copy_installation(used.site.config, target, watch=unwatched)

    assert [] == _places(data, wrapped)
    back = target.with_name("back.toml")
    back.write_text(used.site.config.read_text().replace('data = "data"', 'data = "third"'))
    copy_installation(target, back, watch=unwatched)

    engine = create_engine(store_url(load(target)).replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        assert {"alembic_version", "meta", "schema_version"} == set(inspect(connection).get_table_names())
    engine.dispose()


def test_killed_before_the_files_are_cleaned_the_next_call_does_it(used: Rig, target: Path) -> None:
    """The last commit is made, SQLite's journal still hides the old pages: whoever is told `store.moved` cleans up."""
    wrapped, data = _wrapped(used), used.site.folder / "data"
    used.installation.store.close()
    killed = (
        "import os, sys; from pathlib import Path\n"
        "from intermediary.operations.copy import copy_installation\n"
        "from intermediary.store.retention import Retention\n"
        "Retention.tidy = lambda _self: os._exit(9)\n"
        "copy_installation(Path(sys.argv[1]), Path(sys.argv[2]), watch=lambda items, _label, _length: iter(items))\n"
    )
    command = [sys.executable, "-c", killed, str(used.site.config), str(target)]
    assert 9 == subprocess.run(command, timeout=120, check=False, env=os.environ).returncode
    assert ["store.db"] == _places(data, wrapped)

    with pytest.raises(Misconfigured, match=r"store\.moved"):
        copy_installation(used.site.config, target, watch=unwatched)

    assert [] == _places(data, wrapped)
    installation = open_installation(target)
    assert 2 == len([installation.store.body(one.id).read() for one in installation.store.find()])
    installation.store.close()


def test_nobody_writes_into_the_old_store_while_it_goes(used: Rig, target: Path) -> None:
    """What a door takes meanwhile would be lost with it: it is refused, and its sender keeps it."""
    copy_installation(used.site.config, target, watch=unwatched)
    back = target.with_name("back.toml")
    back.write_text(used.site.config.read_text().replace('data = "data"', 'data = "third"'))
    engine = create_engine(store_url(load(target)).replace("postgresql:", "postgresql+psycopg:"))
    refused = []

    def write(items, label, _length):
        if label == "nachrichten":
            with pytest.raises(OperationalError), engine.begin() as tx:
                tx.execute(text("SET LOCAL lock_timeout = '50ms'"))
                tx.execute(text("UPDATE nachrichten SET attempts = attempts"))
            refused.append(label)
        return iter(items)

    copy_installation(target, back, watch=write)
    engine.dispose()

    assert ["nachrichten"] == refused


def test_work_in_hand_forbids_it(used: Rig, target: Path) -> None:
    """A lease of somebody who is alive: the daemon runs, and nothing is copied or closed."""
    claim = used.store.claim_one(next(iter(used.store.find(limit=1))).id, used.worker._owner, utc_now())

    with pytest.raises(Misconfigured) as fault:
        copy_installation(used.site.config, target, watch=unwatched)

    assert "store.copy.in-use" == fault.value.code
    used.store.release(claim, used.clock())
    assert copy_installation(used.site.config, target, watch=unwatched).audit.is_ok


def test_a_target_that_is_used_is_refused(used: Rig, target: Path) -> None:
    """Another installation's rows stay, and the source works on."""
    other = open_installation(target)
    used_installation, used.installation = used.installation, other
    used.submit(sample_letter(9, now=used.clock()), "m-9")
    used.installation = used_installation
    other.store.close()

    with pytest.raises(Misconfigured) as fault:
        copy_installation(used.site.config, target, watch=unwatched)

    assert "store.copy.not-empty" == fault.value.code
    assert 2 == len(list(used.store.find()))
    used.submit(sample_letter(3, now=used.clock()), "m-3")


@pytest.mark.parametrize("moment", ["in the middle", "before the comparison", "after the commit", "while it closes"])
def test_what_breaks_off_is_begun_anew(used: Rig, target: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Wherever it ends, the old store works on, and a second call completes it."""

    drop_all = METADATA.drop_all

    class Broken(Exception):
        pass

    def fail(*_arguments: object) -> None:
        raise Broken

    def watch(items, label, _length):
        yield from items
        if moment == "in the middle" and label == "audit_events":
            raise Broken

    with monkeypatch.context() as patched:
        if moment == "while it closes":
            patched.setattr(METADATA, "drop_all", lambda *given, **named: fail(drop_all(*given, **named)))
        elif moment != "in the middle":
            patched.setattr(rows, "_close_down" if moment == "after the commit" else "_prints", fail)
        with pytest.raises(Broken):
            copy_installation(used.site.config, target, watch=watch)
    assert 2 == len([used.store.body(one.id).read() for one in used.store.find()])

    assert copy_installation(used.site.config, target, watch=unwatched).audit.is_ok
    installation = open_installation(target)
    assert 2 == len([installation.store.body(one.id).read() for one in installation.store.find()])
    installation.store.close()


def test_a_difference_is_no_copy(used: Rig, target: Path) -> None:
    """A row that gets lost on its way is found by comparing, and everything is undone."""

    def lossy(items, label, _length):
        return (row for number, row in enumerate(items) if label != "audit_events" or number)

    with pytest.raises(Misconfigured) as fault:
        copy_installation(used.site.config, target, watch=lossy)

    assert "store.copy.differs" == fault.value.code
    assert copy_installation(used.site.config, target, watch=unwatched).audit.is_ok


def test_a_payload_that_came_between_files_and_rows_is_not_left_behind(
    used: Rig, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A door that was not stopped takes one after the files were copied: nothing is moved, and the next call has it."""
    _elsewhere(target)
    copy_rows = operations.copy_rows

    def late(*given: Settings, **named: Any) -> dict[str, int]:
        used.submit(sample_letter(3, now=used.clock()), "m-3")
        return copy_rows(*given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(operations, "copy_rows", late)
        with pytest.raises(Misconfigured) as fault:
            copy_installation(used.site.config, target, watch=unwatched)
    assert "store.copy.differs" == fault.value.code
    assert 3 == len([used.store.body(one.id).read() for one in used.store.find()])

    assert copy_installation(used.site.config, target, watch=unwatched).audit.is_ok
    installation = open_installation(target)
    assert 3 == len([installation.store.body(one.id).read() for one in installation.store.find()])
    installation.store.close()


def test_a_payload_that_was_lost_before_stops_no_copy(used: Rig, target: Path) -> None:
    """What the old store has not either is no difference."""
    _elsewhere(target)
    for blob in used.site.folder.glob("data/blobs/??/*"):
        blob.unlink()

    assert copy_installation(used.site.config, target, watch=unwatched).audit.is_ok


def test_where_nothing_is_nothing_is_begun(used: Rig, target: Path) -> None:
    """A mistyped place of the old store: no empty one is made there and moved."""
    old = target.with_name("old.toml")
    old.write_text(used.site.config.read_text().replace('data = "data"', 'data = "dta"'))
    shutil.rmtree(target.parent / "audit-heads")  # on a disk that is not there, or not reached yet
    _elsewhere(target)

    with pytest.raises(Misconfigured) as fault:
        copy_installation(old, target, watch=unwatched)

    assert "store.absent" == fault.value.code
    assert not [one for one in ("dta", "other-data") if (target.parent / one).exists()]


def test_a_missing_kek_is_found_before(used: Rig, target: Path) -> None:
    """Payloads that nobody could open at the target are not copied."""
    create_kek(used.site.folder / "secrets/other.kek")
    target.write_text(target.read_text().replace("secrets/musterstadt.kek", "secrets/other.kek"))

    with pytest.raises(Misconfigured) as fault:
        copy_installation(used.site.config, target, watch=unwatched)

    assert "key.unavailable" == fault.value.code
    assert 2 == len(list(used.store.find()))


def test_another_installation_is_refused(used: Rig, target: Path) -> None:
    """Ids and idempotency keys are derived from its name."""
    target.write_text(target.read_text().replace('name = "demo"', 'name = "other"'))

    with pytest.raises(Misconfigured) as fault:
        copy_installation(used.site.config, target, watch=unwatched)

    assert "store.installation.differs" == fault.value.code


def test_and_back_again(used: Rig, target: Path) -> None:
    """From PostgreSQL to a new SQLite file: nobody is locked in."""
    copy_installation(used.site.config, target, watch=unwatched)
    back = target.with_name("back.toml")
    back.write_text(used.site.config.read_text().replace('data = "data"', 'data = "third"'))

    copied = copy_installation(target, back, watch=unwatched)

    assert copied.audit.is_ok
    assert copied.files >= 3
    installation = open_installation(back)
    assert 2 == len(list(installation.store.find()))
    installation.store.close()


def test_the_command_says_what_it_did(used: Rig, target: Path) -> None:
    """One object for machines; a second call is told that the store has moved."""
    used.installation.store.close()
    command = [sys.executable, "-m", "intermediary", "store", "copy", "-c", str(used.site.config), "--to", str(target)]
    first = subprocess.run(
        [*command, "--json"], capture_output=True, text=True, timeout=120, check=False, env=os.environ
    )
    second = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=os.environ)

    said = json.loads(first.stdout)
    assert (0, True, 2) == (first.returncode, said["auditIsOk"], said["rows"]["nachrichten"])
    assert USAGE == second.returncode
    assert "store copy" in second.stderr
