"""The door of a channel of type `osci_passive`, joined to store, keys and judgement."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from intermediary.core.faults import Misconfigured
from intermediary.ingress.doors import DoorRules, Take
from intermediary.ingress.gate import OPEN, Gate
from intermediary.ingress.https.failures import FAILURES_PER_HOUR
from intermediary.keys.spool import Spool
from intermediary.keys.tls import TlsFiles
from intermediary.osci.passive import PassiveDoor, PassiveSettings
from intermediary.osci.passive.delivery import House, Opening
from intermediary.receipt import judged_quittung
from intermediary.settings.channels import OsciPassiveDoor
from intermediary.store.owners import own_name
from intermediary.wiring.configuration import Configuration
from intermediary.wiring.installation import Installation
from intermediary.wiring.work import bench
from intermediary.worker import Rhythm, Worker


def open_passive(
    door: OsciPassiveDoor,
    rules: DoorRules,
    installation: Installation,
    configuration: Configuration,
    *,
    spool: Spool,
    now: Callable[[], datetime],
    take: Take | None = None,
    gate: Gate = OPEN,
    failures_per_hour: int = FAILURES_PER_HOUR,
) -> PassiveDoor:
    """The endpoint of a channel; a measurement of what refusals betray needs more `failures_per_hour` (rule R3)."""
    store = installation.store
    tools = bench(installation, configuration, {}, now=now)
    rhythm = Rhythm(lease=timedelta(seconds=installation.settings.store.lease_seconds))

    def judge(nachricht_id: str) -> None:
        Worker(tools, owner=own_name(), rhythm=rhythm).judge_one(nachricht_id)

    def opening(mandant: str) -> Opening:
        bank = configuration.bank()
        schluessel = bank.schluessel.get(mandant)
        if schluessel is None:
            raise Misconfigured("key.unavailable", where=f"mandant {mandant}")
        return Opening(schluessel.keyring, schluessel.policy, bank.circles.of(rules.channel))

    house = House(
        take=take or store.take,
        gate=gate,
        look=store.get,
        judge=judge,
        opening=opening,
        quittung=judged_quittung,
        spool=spool,
        clock=now,
        random=secrets.token_bytes,
    )
    return PassiveDoor(_settings(door, failures_per_hour), rules, house)


def _settings(door: OsciPassiveDoor, failures_per_hour: int) -> PassiveSettings:
    tls = None
    if door.tls_cert is not None and door.tls_key is not None:
        tls = TlsFiles(door.tls_cert, door.tls_key, door.client_ca)
    return PassiveSettings(
        host=door.host,
        port=door.port,
        tls=tls,
        judged_seconds=door.judged_seconds,
        failures_per_hour=failures_per_hour,
    )
