"""Judges an installation: `lint` offline by its files alone, `doctor` by opening and asking everything it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from intermediary.connect.settings import Isolated, open_connector
from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Fault, Misconfigured
from intermediary.core.tables import build, did_you_mean
from intermediary.core.values import Befund
from intermediary.operations.alerting import alerting
from intermediary.operations.callbacks import lint_callbacks
from intermediary.operations.database import database
from intermediary.operations.diagnosis import Diagnosis, bad
from intermediary.operations.doors import doors, ways_back
from intermediary.operations.durable import durable
from intermediary.operations.expiry import expiry
from intermediary.operations.keys import keys_on_tokens
from intermediary.operations.post_boxes import lint_post_boxes
from intermediary.operations.scanning import scanning
from intermediary.operations.standards import missing_lists, validities
from intermediary.operations.taking import taking
from intermediary.operations.target_files import fenced, lint_target_files
from intermediary.operations.targets import at_rest
from intermediary.operations.vouching import from_befund, lint_vouching
from intermediary.route.files import read_files
from intermediary.route.plugins import Connectors, Mappings, check_plugins
from intermediary.route.table import Route, RoutingTable, Target, lint_routes
from intermediary.route.targets import lint_limits, lint_order
from intermediary.settings.finding import ConfigurationError, Finding, Severity
from intermediary.settings.lint import lint as lint_settings
from intermediary.settings.load import read
from intermediary.settings.models import Settings
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.json_payload import route_schema
from intermediary.validate.package import Packages
from intermediary.validate.rules.review import without_processor
from intermediary.wiring import connectors, own_schemas, read_routes


def lint(config: Path) -> list[Finding]:
    """Every finding of the configuration: routes, plug-ins, targets' settings, keyrings, partners, schemas; offline."""
    findings = lint_settings(config)
    settings, _ = read(config)
    if settings is None:
        return findings
    return [*findings, *_lint_routes(settings), *lint_vouching(settings)]


def demand_sound(config: Path) -> None:
    """Raise `ConfigurationError` with everything that must be healed before the daemon may start."""
    blocking = [finding for finding in lint(config) if finding.is_blocking]
    if blocking:
        raise ConfigurationError(blocking)


def doctor(config: Path, now: datetime) -> Iterator[Diagnosis]:
    """Look at everything the configuration names: keys, partners, store, second place, schemas, doors, targets.

    Nothing is changed anywhere, and what is wrong with one thing does not keep from looking at the next. A bad line
    names the path or address that an operator goes to.
    """
    for finding in lint(config):
        if finding.severity is Severity.TARGET:
            continue  # the target itself is asked below, and says it with the address
        verdict: Literal["warning", "bad"] = "bad" if finding.is_blocking else "warning"
        yield Diagnosis(f"{finding.file.name} {finding.path}".strip(), verdict, finding.what, finding.hint)
    settings, _ = read(config)
    if settings is None:
        return
    yield from expiry(settings, now)
    yield from keys_on_tokens(settings)
    yield from database(settings)
    yield from durable(settings)
    yield from taking(settings)
    yield from _schemas(settings, now)
    yield from scanning(settings)
    yield from alerting(settings)
    yield from doors(settings)
    yield from ways_back(settings)
    yield from _targets(settings)
    yield from at_rest(settings, now)


def _lint_routes(settings: Settings) -> Iterator[Finding]:
    file = settings.installation.routes
    try:
        table = read_routes(file)
    except Misconfigured as fault:
        if not fault.findings:
            yield Finding(file, "", "cannot be read", "create the routes file")
        yield from (from_befund(file, befund) for befund in fault.findings)
        return
    mandanten = [mandant.name for mandant in settings.mandant]
    installed, mappings = connectors(settings), Mappings()
    found = [*lint_routes(table, mandanten=mandanten), *check_plugins(table, mappings, installed)]
    found += _mapping_settings(table, mappings, file.parent)
    found += _target_settings(table, installed, file.parent)
    yield from (from_befund(file, befund) for befund in found)
    for befund in (*lint_limits(table), *lint_order(table)):
        yield Finding(file, befund.path, CATALOGUE[befund.code].meaning, befund.hint, Severity.WARNING)
    yield from lint_target_files(settings, table, installed)
    yield from lint_post_boxes(settings, table)
    yield from lint_callbacks(settings, table)
    yield from _production_without_schema(settings, table, mappings)
    yield from _terms_of_no_route(settings, table)


def _mapping_settings(table: RoutingTable, mappings: Mappings, base: Path) -> Iterator[Befund]:
    """The settings as their dataclass sees them; only what passes is shown to the mapping's own `examine`."""
    for route in table.routes:
        try:
            mapping = mappings.get(route.mapping)
        except Misconfigured:
            continue  # check_plugins has said it
        kind, examine = getattr(mapping, "settings_type", None), getattr(mapping, "examine", None)
        findings: list[Befund] = []
        if isinstance(kind, type):
            _, findings = build(kind, route.settings, base=Path(), where=f"route[{route.name}].settings")
        try:
            files = read_files(route, base)
        except Misconfigured as fault:
            yield from (*findings, *fault.findings)
            continue
        try:
            route_schema(files)
        except Misconfigured as fault:
            yield from (replace(one, path=f"route[{route.name}].{one.path}") for one in fault.findings)
        if not findings and examine is not None:
            examined = examine(route.settings, files)
            findings = [replace(one, path=f"route[{route.name}].{one.path}") for one in examined]
        yield from findings


def _target_settings(table: RoutingTable, installed: Connectors, base: Path) -> Iterator[Befund]:
    for route in table.routes:
        for target in route.targets:
            path = f"route[{route.name}].target[{target.name}].settings"
            try:
                factory = installed.get(target.connector)
            except Misconfigured:
                continue  # check_plugins has said it
            try:
                open_connector(factory, target.settings, base=base, where=path)
            except Fault as fault:
                hint = f"{CATALOGUE[fault.code].remedy} ({fault.where})" if fault.where not in ("", path) else ""
                yield from fault.findings or (Befund(code=fault.code, path=path, hint=hint),)


def _production_without_schema(settings: Settings, table: RoutingTable, mappings: Mappings) -> Iterator[Finding]:
    """A production route whose output nothing official can check is not sound (DESIGN §2.11).

    A format of a mapping's own is checked by the schema that the mapping brings.
    """
    try:
        installed = Catalogue.open(settings.schemas.folder, own_schemas(table, mappings)).packages
    except Misconfigured as fault:
        yield Finding(settings.file, "schemas.folder", CATALOGUE[fault.code].meaning, CATALOGUE[fault.code].remedy)
        return
    yield from missing_lists(settings, installed)
    code = CATALOGUE["validate.rules.engine"]
    for name in without_processor(installed.values()):
        yield Finding(settings.file, "schemas.folder", f"{name}: {code.meaning}", code.remedy)
    for route in table.routes:
        try:
            mapping = mappings.get(route.mapping)
        except Misconfigured:
            continue
        tell = getattr(mapping, "standard_of", None)
        standard = tell(route.settings) if tell is not None else mapping.standard
        if route.stage == "production" and standard.replace(" ", "@") not in installed:
            hint = f'intermediary schemas install the package of {standard}, or set stage = "test"'
            what = f"output of Mandant {route.mandant} cannot be validated: {standard} is not installed"
            yield Finding(settings.installation.routes, f"route[{route.name}]", what, hint)
        elif route.stage == "test":
            yield from _unchecked_output(settings, route, standard, installed)


def _unchecked_output(settings: Settings, route: Route, standard: str, installed: Packages) -> Iterator[Finding]:
    """A test route delivers what nothing has checked: its results say nothing of production."""
    own = standard.replace(" ", "@")
    reach = () if own not in installed else [one for one in installed.values() if own in one.manifest.requires]
    missing = without_processor((*((installed[own],) if own in installed else ()), *reach))
    what = f"{standard} is not installed" if own not in installed else f"rules cannot run: {', '.join(missing)}"
    if own not in installed or missing:
        hint = "delivered all the same, because stage is test; explain and show say so of each Nachricht"
        yield Finding(
            settings.installation.routes,
            f"route[{route.name}]",
            f"output of Mandant {route.mandant} is delivered unchecked: {what}",
            hint,
            Severity.WARNING,
        )


def _terms_of_no_route(settings: Settings, table: RoutingTable) -> Iterator[Finding]:
    """A misspelt route would let the default hold, and erase earlier than was meant."""
    for number, rule in enumerate(settings.retention, start=1):
        known = {route.name for route in table.routes if rule.mandant in (None, route.mandant)}
        if rule.route is not None and rule.route not in known:
            hint = f"{did_you_mean(rule.route, known)}; else the rule is about Nachrichten of a route that is gone"
            what = f'there is no route "{rule.route}"'
            yield Finding(settings.file, f"retention[{number}].route", what, hint, Severity.WARNING)


def _schemas(settings: Settings, now: datetime) -> Iterator[Diagnosis]:
    try:
        packages = Catalogue.open(settings.schemas.folder).packages.values()
    except Misconfigured as fault:
        yield bad("schemas", fault, str(settings.schemas.folder))
        return
    if not packages:
        yield Diagnosis(
            "schemas", "warning", "none installed", "production routes need them: intermediary schemas install"
        )
    yield from validities(settings, packages, now)
    for name in without_processor(packages):
        yield bad(f"schemas {name}", Misconfigured("validate.rules.engine"))


def _targets(settings: Settings) -> Iterator[Diagnosis]:
    try:
        table = read_routes(settings.installation.routes)
    except Misconfigured:
        return
    installed = connectors(settings)
    for route in table.routes:
        for target in route.targets:
            yield from _target(
                f"target {route.mandant}/{route.name}/{target.name}", target, installed, settings.installation.routes
            )


def _target(subject: str, target: Target, installed: Connectors, routes: Path) -> Iterator[Diagnosis]:
    try:
        factory = installed.get(target.connector)
        connector = open_connector(factory, target.settings, base=routes.parent, where=subject)
    except Fault as fault:
        yield bad(subject, fault, str(routes))
        return
    try:
        connector.probe()
    except Fault as fault:
        if isinstance(factory, Isolated):
            yield bad(subject, fault, str(routes))
            return
        settings, _ = build(factory.settings_type, target.settings, base=routes.parent, where=subject)
        yield bad(subject, fault, _path_named(settings, fault.where) or str(routes))
        return
    yield Diagnosis(subject, "ok", "reachable")
    yield from fenced(subject, connector)


def _path_named(settings: object, where: str) -> str:
    """The path behind the setting that a connector's fault names first (`drop: not writable`); other values stay."""
    for name in where.partition(":")[0].split("."):
        settings = getattr(settings, name, None)
    return str(settings) if isinstance(settings, Path) else ""
