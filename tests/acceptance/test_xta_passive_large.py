"""40 MB by MTOM into a real daemon and out of it again, streamed: no process of it ever holds them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bench.large import MOST_KIBIBYTES
from bench.noise import Noise
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.pki import Pki
from intermediary.testing.xta import sample_container, sample_order
from intermediary.testing.xta_site import OWN, PORTAL, XTA_SERVICE, furnish
from intermediary.unseal.xta.container import ContentContainer, Piece
from intermediary.unseal.xta.values import Party
from intermediary.wiring import utc_now
from intermediary.xta.wire.report import GREEN
from tests.acceptance.daemon import Daemon, wait_until
from tests.acceptance.xta_office import Client

MEBIBYTE = 1024 * 1024


def test_forty_megabytes_in_and_out(tmp_path: Path, pki: Pki) -> None:
    """Sent with MTOM, fetched with MTOM and as Base64, byte for byte the same, in the memory of a small one."""
    site = furnish(tmp_path / "site", pki, now=utc_now(), settings=golden_settings(), judged_seconds=60)
    (tmp_path / "tmp").mkdir()
    daemon = Daemon(site.site.config, log=tmp_path / "log", temporary=tmp_path / "tmp")
    try:
        daemon.wait_for("xta.listening")
        before = peaks(daemon)
        noise = Noise(39 * MEBIBYTE)
        made = sample_container(1, now=utc_now())
        large = Piece(noise, "application/pdf", "gross.pdf")
        order = sample_order(1, now=utc_now(), service=XTA_SERVICE)
        order = type(order)(Party(PORTAL), Party(OWN), order.identification, order.qualifier)
        portal, reader = Client(site, "portal"), Client(site, "reader")

        assert "" == portal.send(order, ContentContainer(made.message, (*made.attachments, large))).number
        patiently(lambda: reader.status_list().box.pending is not None, "it lies in the box")
        (message_id,) = reader.status_list().listed.message_ids
        parts = reader.fetch(message_id, Accept="multipart/related")
        inline = reader.fetch(message_id)
        for said in (parts, inline):
            assert noise.sha256 in {piece.content.sha256 for piece in said.container.attachments}
        assert "" == reader.close(parts.box.request_id, message_id).number
        patiently(lambda: portal.report(order.message_id).report.status == GREEN, "it is delivered")

        after = peaks(daemon)
        print("KiB before and after:", before, after)
        assert max(after.values()) < MOST_KIBIBYTES
    finally:
        daemon.stop()


def patiently(holds: Callable[[], bool], what: str) -> None:
    """A machine with much to do needs several times as long for 40 MB."""
    for _ in range(3):
        with suppress(AssertionError):
            wait_until(holds, what)
            break
    wait_until(holds, what)


def peaks(daemon: Daemon) -> dict[int, int]:
    """The most memory each process of the daemon ever had, in KiB."""
    found = {}
    for child in daemon.children():
        status = Path(f"/proc/{child}/status").read_text()
        found[child] = int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1])
    return found
