"""From an XTA post box to the Fachverfahren, and the Quittung back to the author."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from intermediary.cli.main import cli
from intermediary.operations.doors import doors, ways_back
from intermediary.settings.load import load
from intermediary.testing.pki import Pki
from intermediary.testing.xta import AUTHOR, fetched, kept, sample_container, sample_order, seal_container
from intermediary.wiring import utc_now
from tests.acceptance.daemon import Daemon, wait_until
from tests.acceptance.xta_post_box import XtaOffice, xta_office
from tests.unit.xta.gateway import refuse


def fill(office: XtaOffice, pki: Pki, count: int) -> list[str]:
    """Applications in the box, every second one sealed end to end."""
    reader, now = pki.members["reader-cipher"].certificate, utc_now()
    found = []
    for seed in range(count):
        container = sample_container(seed, now=now)
        content = seal_container(container, reader) if seed % 2 else container
        found.append(office.gateway.put(sample_order(seed, now=now), content))
    return found


def test_messages_are_fetched_delivered_and_answered(tmp_path: Path, pki: Pki) -> None:
    """Four applications, clear and sealed: taken, closed, delivered; four Quittungen are with the author."""
    with xta_office(tmp_path, pki) as office:
        ids = fill(office, pki, 4)
        with office.opened() as bureau:
            assert 4 == bureau.sweep()
            assert {} == office.gateway.waiting
            bureau.worker.drain()
            assert ["completed"] * 4 == bureau.states

        assert 4 == len(list(office.site.drop.glob("*.zip")))
        assert ["accepted"] * 4 == [one["status"] for one in office.quittungen()]
        orders = [order for order, _ in office.gateway.orders.values()]
        assert set(ids) == {order.identification.in_reply_to[0] for order in orders}
        assert {AUTHOR.identifier} == {order.reader.identifier for order in orders}


def test_a_death_between_commit_and_close_takes_nothing_twice(tmp_path: Path, pki: Pki) -> None:
    """What is durable and not closed comes again after the restart, is recognised, and then closed."""
    with xta_office(tmp_path, pki) as office:
        fill(office, pki, 2)
        with office.opened() as bureau:
            real, calls = bureau.door._take, []

            def dying(eingaenge):  # type: ignore[no-untyped-def]
                calls.append(real(eingaenge))
                raise KeyboardInterrupt

            bureau.door._take = dying
            with pytest.raises(KeyboardInterrupt):
                bureau.sweep()
            assert (1, 2) == (len(calls), len(office.gateway.waiting))
        with office.opened() as bureau:
            assert 2 == bureau.sweep()
            assert ["received"] * 2 == bureau.states
        assert {} == office.gateway.waiting


def test_the_same_id_with_other_content_is_told(tmp_path: Path, pki: Pki) -> None:
    """Both are there, the second waits for a person, and the box is not held up by it."""
    with xta_office(tmp_path, pki) as office:
        now = utc_now()
        office.gateway.put(sample_order(1, now=now), sample_container(1, now=now))
        with office.opened() as bureau:
            bureau.sweep()
            office.gateway.put(sample_order(1, now=now), sample_container(2, now=now))
            bureau.sweep()
            assert ["parked", "received"] == bureau.states
        assert {} == office.gateway.waiting


def test_the_daemon_fetches_and_answers(tmp_path: Path, pki: Pki) -> None:
    """`intermediary run` empties the box while it fills, and stops in time."""
    with xta_office(tmp_path, pki) as office:
        (tmp_path / "temporary").mkdir()
        daemon = Daemon(office.site.config, log=tmp_path / "daemon.log", temporary=tmp_path / "temporary")
        try:
            daemon.wait_for("ingress.started")
            fill(office, pki, 4)
            wait_until(lambda: len(office.gateway.orders) == 4, "four Quittungen")
        finally:
            code = daemon.stop()

        assert 0 == code
        assert 4 == len(list(office.site.drop.glob("*.zip")))
        assert {} == office.gateway.waiting


def test_doctor_asks_each_account(tmp_path: Path, pki: Pki) -> None:
    """Both ways are proven without fetching or sending; what the gateway refuses is told with whom it concerns."""
    with xta_office(tmp_path, pki) as office:
        fill(office, pki, 1)
        settings = load(office.site.config)
        found = {one.subject: one for one in (*doors(settings), *ways_back(settings))}
        assert ("ok", "ok") == (found["door xta"].verdict, found["answers of xta"].verdict)
        assert {"checkAccountActive", "getStatusList"} == set(office.gateway.seen)
        office.gateway.meets("checkAccountActive", refuse("9010"), refuse("9011"))
        found = {one.subject: one for one in (*doors(settings), *ways_back(settings))}
        assert ("bad", "bad") == (found["door xta"].verdict, found["answers of xta"].verdict)
        assert "account musterstadt" in found["door xta"].what
        assert not (settings.installation.data / "spool").exists()


def test_open_shows_a_kept_message(tmp_path: Path, pki: Pki) -> None:
    """The bytes as they rest are opened offline by the same keyring, sealed ones too."""
    with xta_office(tmp_path, pki) as office:
        now = utc_now()
        sealed = seal_container(sample_container(1, now=now), pki.members["reader-cipher"].certificate)
        file = tmp_path / "nachricht.bin"
        file.write_bytes(kept(fetched(sample_order(1, now=now), sealed)).read())
        ring = office.site.folder / "keys" / "keyring.toml"
        shown = CliRunner().invoke(cli, ["open", str(file), "--keys", str(ring), "--extract", str(tmp_path / "aus")])

        assert 0 == shown.exit_code, shown.output
        assert ("S05000058" in shown.output, "ags:05999044" in shown.output) == (True, True)
        assert 3 == len(list((tmp_path / "aus").iterdir()))
