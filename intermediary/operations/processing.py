"""What the configuration says about the processing of personal data: the facts for a record of processing (DSGVO Art. 30).

No file besides settings, routes and plug-ins is read, and no secret: it can be made on any desk that has the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from intermediary.core.faults import Misconfigured
from intermediary.core.retention import AUDIT_YEARS, ENDING
from intermediary.core.roots import roots_of
from intermediary.core.states import NachrichtState
from intermediary.route.plugins import Connectors, Mappings
from intermediary.route.table import Route, RoutingTable, Target
from intermediary.settings.channels import Channel
from intermediary.settings.models import Mandant, Settings
from intermediary.settings.retention import terms
from intermediary.wiring import connectors, read_routes

KEY_BACKUP_DAYS = 14
"""How long backups of data keys are kept at most (DESIGN §2.2); docs/howto/retention.md tells how."""

_PLACES = ("drop", "folder", "url", "endpoint", "host", "queue", "address")
"""Settings of a connector that say where it hands over to; none of them holds a secret (secrets are `*_file`)."""


def processing(settings: Settings) -> dict[str, Any]:
    """All facts, JSON-ready. `Misconfigured` when the routes cannot be read."""
    table = read_routes(settings.installation.routes)
    mappings, installed = Mappings(), connectors(settings)
    return {
        "installation": settings.installation.name,
        "configuration": str(settings.file),
        "storage": _storage(settings),
        "memory": {
            "auditYears": AUDIT_YEARS,
            "messageIdDays": settings.memory.dedupe_days,
            "searchKeyDays": settings.memory.search_days,
            "keyBackupDays": KEY_BACKUP_DAYS,
        },
        "secondPerson": sorted(settings.approvals.required),
        "mandanten": [_mandant(one, settings, table, mappings, installed) for one in settings.mandant],
    }


def _storage(settings: Settings) -> dict[str, Any]:
    installation = settings.installation
    return {
        "database": "PostgreSQL" if settings.store.url_file else "SQLite",
        "data": str(installation.data),
        "spool": str(installation.spool or installation.data / "spool"),
        "auditHeads": [str(settings.audit.heads_folder), *filter(None, [settings.audit.heads_syslog])],
    }


def _mandant(
    mandant: Mandant, settings: Settings, table: RoutingTable, mappings: Mappings, connectors: Connectors
) -> dict[str, Any]:
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
        "channels": [_channel(one) for one in settings.channel if mandant.name in one.mandanten],
        "routes": [
            {**_route(one, mappings, connectors), "kept": kept(one.name)}
            for one in table.routes
            if one.mandant == mandant.name
        ],
        "keptWithoutRoute": [one for one in kept("") if one["state"] != "completed"],
        "encryption": {"kek": str(mandant.kek_file), "keyring": str(mandant.keyring)},
    }


def _channel(channel: Channel) -> dict[str, Any]:
    back = "reply-to" if channel.amqp and channel.amqp.reply_to else ""
    if channel.answer is not None:
        back = str(channel.answer.type)
    return {"name": channel.name, "type": channel.type, "partner": str(channel.partner or ""), "answer": back}


def _route(route: Route, mappings: Mappings, connectors: Connectors) -> dict[str, Any]:
    try:
        mapping = mappings.get(route.mapping)
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
        "recipients": [_target(one, connectors) for one in route.targets],
    }


def _target(target: Target, connectors: Connectors) -> dict[str, Any]:
    try:
        summary = connectors.get(target.connector).manifest.summary
    except Misconfigured:
        summary = ""
    return {
        "name": str(target.name),
        "connector": target.connector,
        "summary": summary,
        "required": target.required,
        "places": list(_places(target.settings)),
    }


def _places(settings: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _places(value, f"{prefix}{name}.")
        elif name in _PLACES and isinstance(value, str):
            yield f"{prefix}{name} = {value.rpartition('@')[2]}"
