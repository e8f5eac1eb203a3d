"""Our XTA server on PostgreSQL, twice: two hosts serve one box, and what is infected never reaches it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from intermediary.cli.main import cli
from intermediary.core.states import NachrichtState
from intermediary.core.values import MemoryContent
from intermediary.testing.clamd import PATTERN, PrivateClamd
from intermediary.testing.demo_site import Site
from intermediary.testing.pki import Pki
from intermediary.testing.postgres import PrivatePostgres
from intermediary.testing.xta import sample_container
from intermediary.unseal.xta.container import ContentContainer, Piece
from intermediary.wiring import utc_now
from intermediary.xta.wire.box import REQUEST_ID_INVALID
from intermediary.xta.wire.report import GREEN, RED
from tests.acceptance.xta_office import Office
from tests.unit.xta.official import official_folder


def test_two_hosts_serve_one_box(tmp_path: Path, pki: Pki, postgres: PrivatePostgres) -> None:
    """What one took the other lists and hands out; closed at either it is gone at both; ids of one are good at the other."""
    database = postgres.database()
    first = Office(tmp_path / "site", pki, prepare=lambda site: site.use_database(database))
    second = first.twin()
    try:
        sent = first.fill(2)
        one, other = first.client("reader"), second.client("reader")
        ids = other.status_list().listed.message_ids
        listed = one.status_list(most=1)
        made = first.client("portal").new_id()

        assert 2 == len(ids)
        assert REQUEST_ID_INVALID == other.next_list(listed.box.request_id).box.reason
        handed = [client.fetch(ids[0]).container.message.content.read() for client in (one, other)]
        assert handed[0] == handed[1]
        assert "" == other.close(listed.box.request_id, *ids).number
        assert () == one.status_list().listed.message_ids
        second.work()
        assert [GREEN] * 2 == [second.client("portal").report(order_id).report.status for order_id in sent]
        assert "" == second.client("portal").send(first.order(9, made), sample_container(9, now=utc_now())).number
    finally:
        second.close()
        first.close()


def test_what_is_infected_is_told_as_9060(tmp_path: Path, pki: Pki, clamd: PrivateClamd) -> None:
    """The scan of the judgement answers the sender; nothing is laid into the box; the report is red."""
    scan = f'\n[scan]\nclamd = "{clamd.address}"\nconnect_seconds = 5\nanswer_seconds = 30\n'

    def prepare(site: Site) -> None:
        with site.config.open("a") as file:
            file.write(scan)

    office = Office(tmp_path / "site", pki, prepare=prepare)
    try:
        order, container = office.order(1), sample_container(1, now=utc_now())
        virus = Piece(MemoryContent(b"%PDF-1.7\n" + PATTERN), "application/pdf", "rechnung.pdf")
        infected = ContentContainer(container.message, (*container.attachments, virus))
        portal = office.client("portal")

        assert ["9060", "9060"] == [portal.send(order, infected).number for _ in range(2)]
        office.work()
        assert [NachrichtState.REJECTED] == [one.state for one in office.store.find()]
        assert () == office.client("reader").status_list().listed.message_ids
        assert RED == portal.report(order.message_id).report.status
        assert "" == portal.send(office.order(2), sample_container(2, now=utc_now())).number
    finally:
        office.close()


def test_the_official_schemas_are_asked_where_they_are_installed(tmp_path: Path, pki: Pki, shared: Path) -> None:
    """What our reader bears and the schema does not is 9050 with the package of XTA, and taken without it."""
    office = Office(tmp_path / "site", pki)
    try:
        made = sample_container(1, now=utc_now())
        odd = ContentContainer(replace(made.message, lang="kein Sprachcode!"), made.attachments)
        portal = office.client("portal")

        assert "" == portal.send(office.order(1), odd).number
        installed = tmp_path / "site" / "schemas"
        command = ["schemas", "install", str(official_folder(shared)), "--folder", str(installed)]
        assert 0 == CliRunner().invoke(cli, [*command, "--accept-new", "--as", "xta@2.1.1"]).exit_code
        office.restart()
        assert ["9050", ""] == [portal.send(office.order(2), one).number for one in (odd, made)]
    finally:
        office.close()
