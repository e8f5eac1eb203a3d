"""The door of a channel of type `xta_passive`, joined to store, keys, routes and judgement."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from intermediary.core.values import Ausgabe, Befund
from intermediary.ingress.doors import DoorRules, Take
from intermediary.ingress.gate import OPEN, Gate
from intermediary.keys.spool import Spool
from intermediary.keys.tls import TlsFiles
from intermediary.pipeline import render
from intermediary.receipt import decided_quittung, judged_quittung
from intermediary.settings.channels import Channel
from intermediary.settings.xta_passive import XtaPassiveDoor
from intermediary.store.owners import own_name
from intermediary.wiring.configuration import Configuration
from intermediary.wiring.installation import Installation
from intermediary.wiring.work import bench
from intermediary.worker import Rhythm, Worker, sendung_of
from intermediary.xml.parser import Element
from intermediary.xta.server.desk import Naming
from intermediary.xta.server.door import XtaDoor
from intermediary.xta.server.house import House
from intermediary.xta.server.managing import Readers
from intermediary.xta.server.settings import ServerSettings
from intermediary.xta.server.store_boxes import StoreBoxes
from intermediary.xta.server.store_submissions import StoreSubmissions

_TRIES = 20
_REST_SECONDS = 0.1


def open_xta_server(
    channel: Channel,
    door: XtaPassiveDoor,
    rules: DoorRules,
    installation: Installation,
    configuration: Configuration,
    *,
    spool: Spool,
    now: Callable[[], datetime],
    take: Take | None = None,
    gate: Gate = OPEN,
) -> XtaDoor:
    """The server of a channel. What lies in its boxes is what routes give to `xta_postfach`, for its Mandanten."""
    store, settings = installation.store, installation.settings
    tools = bench(installation, configuration, {}, now=now)
    rhythm = Rhythm(lease=timedelta(seconds=settings.store.lease_seconds))
    mandanten = tuple(channel.mandanten)

    def judge(nachricht_id: str) -> None:
        Worker(tools, owner=own_name(), rhythm=rhythm).judge_one(nachricht_id)

    def made_anew(nachricht_id: str) -> Ausgabe:
        nachricht = store.get(nachricht_id)
        return render(sendung_of(nachricht, store.body(nachricht.id)), nachricht.pins, configuration.bank())

    def marks(text: str) -> tuple[str, ...]:
        return store.post_boxes.marks(mandanten[0], text)

    def check(element: Element) -> tuple[Befund, ...]:
        """Nothing where the official package is not installed: our own reader has looked at all of it."""
        catalogue = configuration.bank().catalogue
        return catalogue.validate(element).findings if catalogue.knows(str(element.tag)) else ()

    def offers(mandant: str, service: str) -> bool:
        """Whether a route of the Mandant asks for the service, or leaves it open."""
        routes = (route for route in configuration.bank().table.routes if route.mandant == mandant)
        return any(route.when.service in (None, service) for route in routes)

    house = House(
        submissions=StoreSubmissions(store, take or store.take, judge, judged_quittung, decided_quittung, spool, now),
        boxes=StoreBoxes(store, mandanten, made_anew, _rest),
        partners=lambda: configuration.bank().circles.partners,
        marks=marks,
        check=check,
        offers=offers,
        spool=spool,
        clock=now,
        random=secrets.token_bytes,
        gate=gate,
    )
    name = settings.installation.name
    return XtaDoor(
        _settings(door),
        rules,
        Readers(mandanten, door.readers),
        Naming(prefix=name, identity=f"{name}/{channel.name}"),
        house,
        sync_services=frozenset(door.sync_services),
    )


def _rest(tries: int) -> bool:
    """A worker holds a Nachricht for moments; who closes it meanwhile waits a little before being told to repeat."""
    if tries > _TRIES:
        return False
    time.sleep(_REST_SECONDS)
    return True


def _settings(door: XtaPassiveDoor) -> ServerSettings:
    return ServerSettings(
        host=door.host,
        port=door.port,
        tls=TlsFiles(door.tls_cert, door.tls_key, door.client_ca),
        judged_seconds=door.judged_seconds,
    )
