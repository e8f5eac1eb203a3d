"""Judges an installation: `lint` offline by its files alone, `doctor` by opening and asking everything it names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from intermediary.connect.settings import open_connector
from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Fault, Misconfigured
from intermediary.core.tables import build
from intermediary.core.values import Befund
from intermediary.ingress.amqp.probe import probe_queue
from intermediary.keys.ring import Keyring
from intermediary.route.plugins import Connectors, Mappings, check_plugins
from intermediary.route.table import RoutingTable, lint_routes
from intermediary.settings.finding import ConfigurationError, Finding, Severity
from intermediary.settings.lint import lint as lint_settings
from intermediary.settings.load import read
from intermediary.settings.models import Settings
from intermediary.validate.catalogue import Catalogue
from intermediary.wiring import open_answers, open_installation, read_routes

EXPIRY_WARNING_DAYS = 30
BROKER_SECONDS = 5.0


def lint(config: Path) -> list[Finding]:
    """Every finding of the configuration, its routes, plug-ins, targets' settings, keyrings and schemas; offline."""
    findings = lint_settings(config)
    settings, _ = read(config)
    if settings is None:
        return findings
    return [*findings, *_lint_routes(settings), *_lint_keyrings(settings)]


def demand_sound(config: Path) -> None:
    """Raise `ConfigurationError` with everything that must be healed before the daemon may start."""
    blocking = [finding for finding in lint(config) if finding.is_blocking]
    if blocking:
        raise ConfigurationError(blocking)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing `doctor` looked at: `ok`, `warning` or `bad`, what was found and what to do."""

    subject: str
    verdict: Literal["ok", "warning", "bad"]
    what: str
    hint: str = ""


def doctor(config: Path, now: datetime) -> Iterator[Diagnosis]:
    """Look at keys and their certificates' days, store, schemas, ways back and every target, one after the other."""
    for finding in lint(config):
        verdict: Literal["warning", "bad"] = "bad" if finding.is_blocking else "warning"
        yield Diagnosis(f"{finding.file.name} {finding.path}".strip(), verdict, finding.what, finding.hint)
    settings, _ = read(config)
    if settings is None:
        return
    yield from _certificates(settings, now)
    yield from _store(config)
    yield from _schemas(settings)
    yield from _heads_folder(settings.audit.heads_folder)
    yield from _doors(settings)
    yield from _ways_back(settings)
    yield from _targets(settings)


def _lint_routes(settings: Settings) -> Iterator[Finding]:
    file = settings.installation.routes
    try:
        table = read_routes(file)
    except Misconfigured as fault:
        if not fault.findings:
            yield Finding(file, "", "cannot be read", "create the routes file")
        yield from (_finding(file, befund) for befund in fault.findings)
        return
    mandanten = [mandant.name for mandant in settings.mandant]
    connectors, mappings = Connectors(), Mappings()
    found = [*lint_routes(table, mandanten=mandanten), *check_plugins(table, mappings, connectors)]
    found += _mapping_settings(table, mappings)
    found += _target_settings(table, connectors, file.parent)
    yield from (_finding(file, befund) for befund in found)
    yield from _production_without_schema(settings, table, mappings)


def _mapping_settings(table: RoutingTable, mappings: Mappings) -> Iterator[Befund]:
    for route in table.routes:
        try:
            kind = getattr(mappings.get(route.mapping), "settings_type", None)
        except Misconfigured:
            continue  # check_plugins has said it
        if isinstance(kind, type):
            _, findings = build(kind, route.settings, base=Path(), where=f"route[{route.name}].settings")
            yield from findings


def _target_settings(table: RoutingTable, connectors: Connectors, base: Path) -> Iterator[Befund]:
    for route in table.routes:
        for target in route.targets:
            path = f"route[{route.name}].target[{target.name}].settings"
            try:
                factory = connectors.get(target.connector)
            except Misconfigured:
                continue  # check_plugins has said it
            try:
                open_connector(factory, target.settings, base=base, where=path)
            except Fault as fault:
                yield from fault.findings or (Befund(code=fault.code, path=path),)


def _production_without_schema(settings: Settings, table: RoutingTable, mappings: Mappings) -> Iterator[Finding]:
    """A production route whose output nothing official can check is not sound (DESIGN §2.11)."""
    try:
        installed = Catalogue.open(settings.schemas.folder).packages
    except Misconfigured as fault:
        yield Finding(settings.file, "schemas.folder", CATALOGUE[fault.code].meaning, CATALOGUE[fault.code].remedy)
        return
    for route in table.routes:
        try:
            standard = mappings.get(route.mapping).standard
        except Misconfigured:
            continue
        if route.stage == "production" and standard.replace(" ", "@") not in installed:
            hint = f'intermediary schemas install the package of {standard}, or set stage = "test"'
            what = f"output cannot be validated: {standard} is not installed"
            yield Finding(settings.installation.routes, f"route[{route.name}]", what, hint)


def _lint_keyrings(settings: Settings) -> Iterator[Finding]:
    for mandant in settings.mandant:
        try:
            Keyring.load(mandant.keyring)
        except Misconfigured as fault:
            code = CATALOGUE[fault.code]
            path, _, near = fault.where.removeprefix(f"{mandant.keyring.name}: ").partition(" (")
            yield Finding(mandant.keyring, path, code.meaning, near.rstrip(")") or code.remedy)


def _finding(file: Path, befund: Befund) -> Finding:
    code = CATALOGUE.get(befund.code)
    what = code.meaning if code else befund.code
    return Finding(file, befund.path, what, befund.hint, Severity.ERROR)


def _certificates(settings: Settings, now: datetime) -> Iterator[Diagnosis]:
    for mandant in settings.mandant:
        try:
            certificates = Keyring.load(mandant.keyring).certificates()
        except Misconfigured:
            continue  # lint has said it
        for certificate in certificates:
            days = (certificate.not_valid_after_utc - now).days
            subject = f"key {mandant.name}: {certificate.subject.rfc4514_string()}"
            if days < 0:
                yield Diagnosis(subject, "warning", "expired", "messages already sealed for it still open; renew it")
            elif days < EXPIRY_WARNING_DAYS:
                yield Diagnosis(subject, "warning", f"{days} days left", "renew it and add the new key beside it")
            else:
                yield Diagnosis(subject, "ok", f"{days} days left")


def _store(config: Path) -> Iterator[Diagnosis]:
    try:
        opened = open_installation(config)
    except ConfigurationError:
        return
    except Fault as fault:
        yield Diagnosis("store", "bad", CATALOGUE[fault.code].meaning, CATALOGUE[fault.code].remedy)
        return
    try:
        counts = opened.store.counts()
    finally:
        opened.store.close()
    yield Diagnosis("store", "ok", f"{sum(counts.values())} Nachrichten")


def _schemas(settings: Settings) -> Iterator[Diagnosis]:
    try:
        packages = Catalogue.open(settings.schemas.folder).packages.values()
    except Misconfigured as fault:
        yield Diagnosis("schemas", "bad", CATALOGUE[fault.code].meaning, CATALOGUE[fault.code].remedy)
        return
    if not packages:
        yield Diagnosis(
            "schemas", "warning", "none installed", "production routes need them: intermediary schemas install"
        )
    for package in packages:
        yield Diagnosis(f"schemas {package.id}", "ok", package.sha256[:16])


def _heads_folder(folder: Path) -> Iterator[Diagnosis]:
    subject = "audit heads"
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        yield Diagnosis(subject, "ok", "writable")
    elif folder.exists():
        yield Diagnosis(subject, "bad", f"{folder} cannot be written", "give the folder to the daemon's account")
    else:
        yield Diagnosis(
            subject, "warning", f"{folder} is not there yet", "the daemon makes it; mount the second place before"
        )


def _doors(settings: Settings) -> Iterator[Diagnosis]:
    for channel in settings.channel:
        subject = f"door {channel.name}"
        if channel.folder is not None:
            inbox = channel.folder.inbox
            if not inbox.is_dir():
                yield Diagnosis(subject, "bad", f"there is no folder {inbox}", "create it; its senders write there")
            elif not os.access(inbox, os.R_OK | os.W_OK | os.X_OK):
                yield Diagnosis(
                    subject, "bad", f"{inbox} cannot be emptied", "let the daemon's account read and write it"
                )
            else:
                yield Diagnosis(subject, "ok", "readable and writable")
        elif channel.amqp is not None:
            yield _broker(subject, channel.amqp.url_file)


def _broker(subject: str, url_file: Path) -> Diagnosis:
    try:
        probe_queue(url_file.read_text(encoding="utf-8").strip(), "", connect_seconds=BROKER_SECONDS)
    except (OSError, ValueError):
        return Diagnosis(subject, "bad", "the address of the broker cannot be read", f"check {url_file}")
    except Fault:
        return Diagnosis(subject, "bad", "the broker does not answer", "check address, account and network")
    return Diagnosis(subject, "ok", "reachable")


def _ways_back(settings: Settings) -> Iterator[Diagnosis]:
    for channel in settings.channel:
        subject = f"answers of {channel.name}"
        try:
            way = open_answers(channel)
            if way is not None:
                way.probe()
        except Fault as fault:
            yield Diagnosis(subject, "bad", CATALOGUE[fault.code].meaning, CATALOGUE[fault.code].remedy)
        else:
            yield Diagnosis(subject, "ok", "reachable" if way is not None else "none configured")


def _targets(settings: Settings) -> Iterator[Diagnosis]:
    try:
        table = read_routes(settings.installation.routes)
    except Misconfigured:
        return
    connectors = Connectors()
    base = settings.installation.routes.parent
    for route in table.routes:
        for target in route.targets:
            subject = f"target {route.name}/{target.name}"
            try:
                open_connector(connectors.get(target.connector), target.settings, base=base, where=subject).probe()
            except Fault as fault:
                code = CATALOGUE[fault.code]
                where = f" ({fault.where})" if fault.where else ""
                yield Diagnosis(subject, "bad", f"{code.meaning}{where}", code.remedy)
            else:
                yield Diagnosis(subject, "ok", "reachable")
