"""What is so about the processing of personal data: the facts for a record of processing (DSGVO Art. 30).

Settings, routes and plug-ins are enough: it can be made on any desk that has them. What stands elsewhere (hosts beside a
password, endpoints of partners, what the store remembers) is told where it can be read, and said to be unknown otherwise.
No secret is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from intermediary.connect.settings import Setting, settings_of
from intermediary.core.faults import Fault, Misconfigured
from intermediary.core.retention import AUDIT_YEARS, ENDING
from intermediary.core.roots import roots_of
from intermediary.core.states import NachrichtState
from intermediary.ingress.amqp.intake import refused_queue_of
from intermediary.ingress.inbox import REFUSED
from intermediary.operations.whereabouts import Whereabouts, address_in
from intermediary.route.plugins import Connectors, Mappings
from intermediary.route.table import Route, RoutingTable, Target
from intermediary.settings.channels import Channel
from intermediary.settings.models import Mandant, Settings
from intermediary.settings.retention import terms
from intermediary.store.demands import Demands
from intermediary.wiring import connectors, look_into_installation, read_routes
from intermediary.wiring.configuration import read_partners

KEY_BACKUP_DAYS = 14
"""How long backups of data keys are kept at most (DESIGN §2.2); docs/howto/retention.md tells how."""


@dataclass(frozen=True, slots=True)
class _Plugs:
    """What is asked while the facts are put together."""

    mappings: Mappings
    connectors: Connectors
    places: Whereabouts


def processing(settings: Settings) -> dict[str, Any]:
    """All facts, JSON-ready. `Misconfigured` when the routes cannot be read."""
    table = read_routes(settings.installation.routes)
    places = Whereabouts(settings.installation.routes.parent, _endpoints(settings))
    plugs = _Plugs(Mappings(), connectors(settings), places)
    remembered = _remembered(settings)
    return {
        "installation": settings.installation.name,
        "configuration": str(settings.file),
        "storage": _storage(settings),
        "services": _services(settings, places),
        "memory": {
            "auditYears": AUDIT_YEARS,
            "messageIdDays": settings.memory.dedupe_days,
            "searchKeyDays": settings.memory.search_days,
            "keyBackupDays": KEY_BACKUP_DAYS,
        },
        "secondPerson": sorted({*settings.approvals.required, *(remembered.required if remembered else ())}),
        "secondPersonIsWhole": remembered is not None,
        "mandanten": [_mandant(one, settings, table, plugs) for one in settings.mandant],
    }


def _remembered(settings: Settings) -> Demands | None:
    """What the store demands, whatever the configuration says; None where there is none, or it cannot be seen from here."""
    try:
        look = look_into_installation(settings)
    except (Fault, OSError):
        return None
    return look.demands if look else None


def _endpoints(settings: Settings) -> dict[str, str]:
    try:
        return {one.kennung: one.endpoint for one in read_partners(settings).all()}
    except Fault:
        return {}


def _services(settings: Settings, places: Whereabouts) -> dict[str, list[str]]:
    """Whom the program speaks to besides channels and targets, and where it answers; empty where there is nobody."""
    return {
        "scan": list(places.of_table(settings.scan)) if settings.scan else [],
        "alerts": list(places.of_table(settings.alerts)),
        "callbacks": list(places.of_table(settings.callbacks)) if settings.callbacks else [],
        "health": list(places.of_table(settings.health)),
    }


def _storage(settings: Settings) -> dict[str, Any]:
    installation, url_file = settings.installation, settings.store.url_file
    return {
        "database": "PostgreSQL" if url_file else "SQLite",
        "server": address_in(url_file, is_whole=True) if url_file else "",
        "data": str(installation.data),
        "spool": str(installation.spool or installation.data / "spool"),
        "auditHeads": [str(settings.audit.heads_folder), *filter(None, [settings.audit.heads_syslog])],
    }


def _mandant(mandant: Mandant, settings: Settings, table: RoutingTable, plugs: _Plugs) -> dict[str, Any]:
    rules = terms(settings.retention)

    def kept(route: str) -> list[dict[str, Any]]:
        ordered = [state for state in NachrichtState if state in ENDING]
        found = [(state, rules.rule(mandant.name, route, state)) for state in ordered]
        return [
            {"state": state.value, "days": rule.days, "default": rule.is_default, "erased": state.value != "parked"}
            for state, rule in found
        ]

    return {
        "name": mandant.name,
        "channels": [channel_places(one, plugs.places) for one in settings.channel if mandant.name in one.mandanten],
        "routes": [
            {**_route(one, plugs), "kept": kept(one.name)} for one in table.routes if one.mandant == mandant.name
        ],
        "keptWithoutRoute": [one for one in kept("") if one["state"] != "completed"],
        "encryption": {
            "kek": str(mandant.kek_file),
            "previousKeks": [str(one) for one in mandant.previous_kek_files],
            "keyring": str(mandant.keyring),
        },
    }


def channel_places(channel: Channel, places: Whereabouts) -> dict[str, Any]:
    """One door: where submissions come from and lie, and where the Quittung goes."""
    door = getattr(channel, channel.type)
    found = list(places.of_table(door))
    back = [f"reply_to = {queue}" for queue in channel.amqp.reply_to] if channel.amqp else []
    ways = ["reply-to"] if back else []
    if channel.folder:
        found.append(f"refused = {channel.folder.inbox / REFUSED}")
    if channel.amqp:
        found.append(f"refused = {refused_queue_of(channel.amqp.queue)}")
    if channel.type == "osci_fetch":
        found += places.of_partner(str(channel.partner))
    if channel.answer is not None:
        ways.append(str(channel.answer.type))
        back += places.of_table(channel.answer)
        if channel.answer.type == "xta" and channel.xta_fetch and channel.xta_fetch.send:
            back += places.of_table(channel.xta_fetch.send, prefix="send.")
    return {
        "name": channel.name,
        "type": channel.type,
        "partner": str(channel.partner or ""),
        "places": [one for one in found if not one.startswith("reply_to = ")],
        "answer": ", ".join(ways),
        "answerPlaces": back,
    }


def _route(route: Route, plugs: _Plugs) -> dict[str, Any]:
    try:
        mapping = plugs.mappings.get(route.mapping)
        standard, root = mapping.standard, ", ".join(roots_of(mapping))
    except Misconfigured:
        standard = root = ""
    return {
        "name": route.name,
        "stage": route.stage,
        "when": route.when.conditions(),
        "mapping": str(route.mapping),
        "standard": standard,
        "input": root,
        "require": list(route.require),
        "recipients": [_target(one, plugs) for one in route.targets],
    }


def _target(target: Target, plugs: _Plugs) -> dict[str, Any]:
    summary = ""
    known: tuple[Setting, ...] = ()
    try:
        factory = plugs.connectors.get(target.connector)
        summary = factory.manifest.summary
        known = settings_of(factory)
    except (Fault, TypeError):  # not installed, or with a flaw that `lint` tells
        pass
    return {
        "name": str(target.name),
        "connector": target.connector,
        "summary": summary,
        "required": target.required,
        "places": list(plugs.places.of_target(target.settings, known)),
    }
