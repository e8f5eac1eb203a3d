"""One application through every door that exists: the Fachverfahren gets the same bytes, whatever brought them."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pika
import pytest

from intermediary.ingress.amqp.intake import queue_arguments, refused_queue_of
from intermediary.ingress.doors import OSCI_MIME
from intermediary.keys.spool import Spool
from intermediary.keys.tls import TlsFiles
from intermediary.osci.write.seal import seal
from intermediary.store.owners import own_name
from intermediary.testing.demo_proof import compare_with_golden, golden_letter, golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.pki import Pki
from intermediary.testing.servers import PrivateRabbit
from intermediary.testing.simulate.osci.filling import Filler
from intermediary.testing.xta import golden_message
from intermediary.testing.xta_site import OWN, PORTAL
from intermediary.testing.xta_site import furnish as furnish_xta
from intermediary.unseal.xta.values import Party
from intermediary.wiring import Configuration, all_answers, bench, open_doors, open_installation, utc_now
from intermediary.worker import Worker
from intermediary.xta.client.client import XtaClient
from intermediary.xta.client.http import Address, HttpExchange, HttpLimits
from intermediary.xta.client.sender import Sender
from tests.acceptance.daemon import wait_until
from tests.acceptance.osci_endpoint import Intermediary
from tests.acceptance.osci_endpoint import furnish as furnish_osci
from tests.acceptance.osci_post_box import post_office
from tests.acceptance.xta_post_box import unsigned_routes, xta_office
from tests.soak.daemon_kills import QUEUE, use_broker

Bring = Callable[[], None]


@contextmanager
def folder_door(place: Path, pki: Pki, _rabbit: PrivateRabbit) -> Iterator[tuple[Site, Bring]]:
    site = make_site(place / "site", now=utc_now(), settings=golden_settings(), pki=pki)

    def bring() -> None:
        made = site.folder / "antrag.tmp"
        made.write_bytes(_sealed(pki))
        made.rename(site.inbox / "antrag.osci")

    yield site, bring


@contextmanager
def amqp_door(place: Path, pki: Pki, rabbit: PrivateRabbit) -> Iterator[tuple[Site, Bring]]:
    site = make_site(place / "site", now=utc_now(), settings=golden_settings(), pki=pki)
    use_broker(site, rabbit.url)

    def bring() -> None:
        connection = pika.BlockingConnection(pika.URLParameters(rabbit.url))
        channel = connection.channel()
        channel.queue_declare(QUEUE, durable=True, arguments=dict(queue_arguments(QUEUE)))
        channel.queue_declare(refused_queue_of(QUEUE), durable=True, arguments={"x-queue-type": "quorum"})
        properties = pika.BasicProperties(content_type=OSCI_MIME, message_id="urn:beispiel:golden", delivery_mode=2)
        channel.basic_publish("", QUEUE, _sealed(pki), properties)
        connection.close()

    yield site, bring


@contextmanager
def osci_passive_door(place: Path, pki: Pki, _rabbit: PrivateRabbit) -> Iterator[tuple[Site, Bring]]:
    site, port = furnish_osci(place / "site", pki, now=utc_now(), judged_seconds=1)
    partner = Intermediary(pki, port, site.folder / "secrets" / "tls.cert.pem", "/osci/musterstadt")
    yield site, lambda: _insist(lambda: partner.deliver(_sealed(pki)))


@contextmanager
def osci_fetch_door(place: Path, pki: Pki, _rabbit: PrivateRabbit) -> Iterator[tuple[Site, Bring]]:
    with post_office(place, pki, with_tls=False) as office:
        filler = Filler(pki, office.simulator._undisturbed, random=secrets.token_bytes, clock=utc_now)
        yield office.site, lambda: _drop(filler.store(golden_letter(utc_now())))


@contextmanager
def xta_fetch_door(place: Path, pki: Pki, _rabbit: PrivateRabbit) -> Iterator[tuple[Site, Bring]]:
    with xta_office(place, pki) as office:
        yield office.site, lambda: _drop(office.gateway.put(*golden_message(utc_now())))


@contextmanager
def xta_passive_door(place: Path, pki: Pki, _rabbit: PrivateRabbit) -> Iterator[tuple[Site, Bring]]:
    made = furnish_xta(place / "site", pki, now=utc_now(), settings=golden_settings(), judged_seconds=1)
    unsigned_routes(made.site)
    tls = TlsFiles(made.tls / "portal.cert.pem", made.tls / "portal.key.pem")
    spool = Spool(None)

    def exchange(port: str) -> HttpExchange:
        address = Address(made.url(port), made.tls / "ca.cert.pem")
        return HttpExchange(address, tls, where="portal", spool=spool, limits=HttpLimits())

    exchanges = {"management": exchange("management"), "send": exchange("send")}
    client = XtaClient(exchanges, Party(PORTAL), where="portal", spool=spool, random=secrets.token_bytes)  # type: ignore[arg-type]

    def bring() -> None:
        order, container = golden_message(utc_now())
        order = replace(order, author=Party(PORTAL), reader=Party(OWN))
        _insist(lambda: Sender(client).send(order, container))

    yield made.site, bring


DOORS = (folder_door, amqp_door, osci_passive_door, osci_fetch_door, xta_fetch_door, xta_passive_door)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_every_door_gives_the_same_bytes(
    door: Callable[[Path, Pki, PrivateRabbit], Iterator[tuple[Site, Bring]]],
    tmp_path: Path,
    pki: Pki,
    request: pytest.FixtureRequest,
) -> None:
    """What lies with the Fachverfahren is the golden package, to the byte but for our ids and the moment of receipt."""
    rabbit = request.getfixturevalue("rabbit") if door is amqp_door else None
    with door(tmp_path, pki, rabbit) as (site, bring):  # type: ignore[arg-type,attr-defined]
        key, received_at = _through(site, bring)
        compared = compare_with_golden(site.drop, key, received_at)

    assert compared.is_equal, compared.text()
    assert 5 == compared.files


def _through(site: Site, bring: Bring):  # type: ignore[no-untyped-def]
    """Open all doors, hand the application in, judge and deliver it; its id and its moment of receipt."""
    installation = open_installation(site.config)
    store = installation.store
    doors = open_doors(installation)
    threads = [threading.Thread(target=door.run) for door in doors]
    try:
        for thread in threads:
            thread.start()
        handing = threading.Thread(target=bring)
        handing.start()
        wait_until(lambda: len(list(store.state_lines())) == 1, "one Nachricht")
        configuration = Configuration(installation.settings)
        answers = all_answers(installation.settings, configuration)
        worker = Worker(bench(installation, configuration, answers), owner=own_name())
        (line,) = store.state_lines()
        wait_until(lambda: _is_there(worker, site, line.id), "the package")
        handing.join()
        return line.id, store.get(line.id).received_at
    finally:
        for door in doors:
            door.stop()
        for thread in threads:
            thread.join()
        store.close()


def _is_there(worker: Worker, site: Site, key: str) -> bool:
    worker.drain()
    return bool(list(site.drop.glob(f"{key}_*.zip")))


def _insist(handing: Callable[[], object]) -> None:
    """The door is opening while somebody knocks already."""
    for _ in range(200):
        try:
            handing()
        except Exception:
            threading.Event().wait(0.1)
        else:
            return
    raise AssertionError("the door stays shut")


def _drop(_answer: object) -> None:
    return None


def _sealed(pki: Pki) -> bytes:
    now = utc_now()
    return seal(golden_letter(now), parties=pki.parties, random=os.urandom, now=now)
