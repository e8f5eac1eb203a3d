"""From an OSCI post box to the Fachverfahren, and the Quittung back into the sender's post box."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import pytest

from intermediary.operations.doors import doors, ways_back
from intermediary.osci.write import Attachment
from intermediary.settings.load import load
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from intermediary.testing.simulate.osci.chunks import Limits
from intermediary.testing.simulate.osci.filling import Filler
from intermediary.testing.simulate.osci.trouble import Knob
from intermediary.unseal.osci.partial import KILOBYTE
from intermediary.wiring import utc_now
from tests.acceptance.daemon import Daemon, wait_until
from tests.acceptance.osci_post_box import PostOffice, post_office


def swept(office: PostOffice, rounds: int) -> int:
    """Visit the post box again and again, as often as it takes, without waiting for its pace."""
    with office.opened() as bureau:
        kept = 0
        for _ in range(rounds):
            bureau.door._queue = [(0.0, index) for _, index in bureau.door._queue]
            kept += bureau.door.sweep()
        return kept


def waiting(office: PostOffice) -> int:
    """How much lies in the Mandant's post box."""
    state = office.simulator.state()
    return int(state["boxes"].get(state["own_box"], 0))


def test_a_delivery_is_fetched_delivered_and_answered(tmp_path: Path, pki: Pki) -> None:
    """Three applications over HTTPS: taken, acknowledged, delivered; three signed Quittungen lie with the sender."""
    with post_office(tmp_path, pki) as office:
        office.simulator.fill(3)
        with office.opened() as bureau:
            assert 3 == bureau.door.sweep()
            bureau.worker.drain()
            assert ["completed"] * 3 == bureau.states

        assert 3 == len(list(office.site.drop.glob("*.zip")))
        quittungen = office.quittungen()
        assert ["accepted"] * 3 == [one["status"] for one in quittungen]
        assert 3 == len({one["quittungId"] for one in quittungen})
        assert 0 == office.simulator.state()["waiting"]


@pytest.mark.parametrize(
    "knob",
    [
        "drop-before@FetchDelivery=next2",
        "drop-after@FetchDelivery=next2",
        "truncate@FetchDelivery=next2",
        "undecryptable@FetchDelivery=next1",
        "plain@FetchDelivery=next1",
        "unsigned@FetchDelivery=next1",
        "wrong-response@FetchDelivery=next2",
        "wrong-sequence@FetchDelivery=next2",
        "wrong-conversation@FetchDelivery=next2",
        "fault:9000@FetchDelivery=next2",
        "drop-after@InitDialog=next2",
        "drop-after@ExitDialog=next2",
        "fault:9400@ExitDialog=next1",
    ],
)
def test_after_any_trouble_each_delivery_is_there_once(knob: str, tmp_path: Path, pki: Pki) -> None:
    """Whatever the intermediary does to an answer: nothing is lost, nothing doubled, the post box is emptied."""
    with post_office(tmp_path, pki, with_tls=False) as office:
        office.simulator.fill(3)
        office.simulator.trouble.turn(Knob.parse(knob))
        kept = swept(office, 8)
        with office.opened() as bureau:
            assert ["received"] * 3 == bureau.states

        assert kept >= 3
        assert 0 == waiting(office)
        assert 3 == office.simulator.state()["received"]


def test_a_restart_in_a_dialog_takes_nothing_twice(tmp_path: Path, pki: Pki) -> None:
    """The commit happened, the acknowledgement did not: after the restart the same delivery comes again and is one."""
    with post_office(tmp_path, pki, with_tls=False) as office:
        office.simulator.fill(2)
        with office.opened() as bureau:
            real, calls = bureau.door._take, []

            def dying(eingaenge):  # type: ignore[no-untyped-def]
                calls.append(real(eingaenge))
                raise KeyboardInterrupt

            bureau.door._take = dying
            with pytest.raises(KeyboardInterrupt):
                bureau.door.sweep()
            assert 1 == len(calls)
        assert 2 == swept(office, 4)
        with office.opened() as bureau:
            assert ["received"] * 2 == bureau.states


def test_a_large_delivery_comes_in_chunks(tmp_path: Path, pki: Pki) -> None:
    """Three megabytes in chunks of one, put together, opened and delivered like any other."""
    limits = Limits(min_chunk_bytes=KILOBYTE, max_chunk_bytes=1024 * KILOBYTE)
    with post_office(tmp_path, pki, fetch="chunk_megabytes = 1", limits=limits, with_tls=False) as office:
        simulator = office.simulator
        filler = Filler(pki, simulator._undisturbed, random=secrets.token_bytes, clock=utc_now)
        letter = sample_letter(0, now=utc_now())
        large = Attachment("plan.pdf", "application/pdf", b"%PDF-1.4\n" + secrets.token_bytes(3_000_000))
        filler.store(replace(letter, attachments=(*letter.attachments, large)))
        simulator.fill(1)
        with office.opened() as bureau:
            assert 2 == bureau.door.sweep()
            bureau.worker.drain()
            assert ["completed"] * 2 == bureau.states
        assert 0 == waiting(office)


def test_chunks_that_could_not_be_kept_come_again(tmp_path: Path, pki: Pki) -> None:
    """All chunks had arrived and the store was away: the next dialog begins with the first chunk and misses nothing."""
    limits = Limits(min_chunk_bytes=KILOBYTE, max_chunk_bytes=1024 * KILOBYTE)
    with post_office(tmp_path, pki, fetch="chunk_megabytes = 1", limits=limits, with_tls=False) as office:
        filler = Filler(pki, office.simulator._undisturbed, random=secrets.token_bytes, clock=utc_now)
        letter = sample_letter(0, now=utc_now())
        large = Attachment("plan.pdf", "application/pdf", b"%PDF-1.4\n" + secrets.token_bytes(3_000_000))
        filler.store(replace(letter, attachments=(*letter.attachments, large)))
        with office.opened() as bureau:

            def away(eingaenge):  # type: ignore[no-untyped-def]
                raise OSError("no space left")

            real, bureau.door._take = bureau.door._take, away
            bureau.door._settings = replace(bureau.door._settings, hold_seconds=0.0)
            assert 0 == bureau.door.sweep()
            bureau.door._take = real
        assert 1 == swept(office, 2)
        assert 0 == waiting(office)


def test_the_daemon_fetches_and_answers(tmp_path: Path, pki: Pki) -> None:
    """`intermediary run` empties the post box while it fills, and stops in time."""
    with post_office(tmp_path, pki) as office:
        (tmp_path / "temporary").mkdir()
        daemon = Daemon(office.site.config, log=tmp_path / "daemon.log", temporary=tmp_path / "temporary")
        try:
            daemon.wait_for("ingress.started")
            office.simulator.fill(4)
            wait_until(lambda: len(list(office.site.drop.glob("*.zip"))) == 4, "four packages")
            found = office.quittungen()
            wait_until(lambda: bool(found.extend(office.quittungen())) or len(found) >= 4, "four Quittungen")
        finally:
            code = daemon.stop()

        assert 0 == code
        assert {"accepted"} == {one["status"] for one in found}
        assert 4 == len(found)


def test_doctor_opens_a_dialog_with_each_post_box(tmp_path: Path, pki: Pki) -> None:
    """Both ways are proven without fetching or sending; a partner that is away is named, and nothing is left behind."""
    with post_office(tmp_path, pki) as office:
        office.simulator.fill(1)
        settings = load(office.site.config)
        found = {one.subject: one for one in (*doors(settings), *ways_back(settings))}
        assert ("ok", "ok") == (found["door postfach"].verdict, found["answers of postfach"].verdict)
        assert 1 == waiting(office)
        assert not (settings.installation.data / "spool").exists()

    found = {one.subject: one for one in (*doors(settings), *ways_back(settings))}
    assert ("bad", "bad") == (found["door postfach"].verdict, found["answers of postfach"].verdict)
    assert "test:osci-intermediaer" in found["door postfach"].what
