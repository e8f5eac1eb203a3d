"""Which routes use which installed package, and when it ends: what `schemas list` and `doctor` say of packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime

from intermediary.core.faults import Misconfigured
from intermediary.core.tables import did_you_mean
from intermediary.operations.diagnosis import Diagnosis
from intermediary.route.plugins import Mappings
from intermediary.route.table import Route
from intermediary.settings.finding import Finding, Severity
from intermediary.settings.models import Settings
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.package import Package, Packages
from intermediary.wiring import read_routes
from intermediary.wiring.configuration import own_schemas

SOON_DAYS = 60


def routes_of_packages(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The names of the routes that use each installed package, in the order of the routes file.

    A route uses the package of the standard it writes and those that describe the root it asks for, what these require, and
    the packages whose code lists their schemas name. Routes whose mapping is missing use nothing that is known. Raises
    `Misconfigured` when routes or packages cannot be read.
    """
    mappings = Mappings()
    table = read_routes(settings.installation.routes)
    packages = Catalogue.open(settings.schemas.folder, own_schemas(table, mappings)).packages
    lists = {uri: package.id for package in packages.values() for uri, _ in package.listed.values()}
    used: dict[str, dict[str, None]] = {}
    named: dict[str, frozenset[str]] = {}
    for route in table.routes:
        for package in _reached(route, mappings, packages):
            if package.id not in named:
                named[package.id] = _named_lists(package, lists)
            for name in (package.id, *named[package.id]):
                used.setdefault(name, {})[route.name] = None
    return {name: tuple(routes) for name, routes in used.items()}


def missing_lists(settings: Settings, packages: Packages) -> Iterator[Finding]:
    """A finding of `lint` for each list that is demanded by name and not installed in any version."""
    installed = {uri for package in packages.values() for uri, _ in package.listed.values()}
    for uri in settings.schemas.demanded_lists:
        if uri != "*" and uri not in installed:
            what = f"{uri} is not installed: whatever uses it will wait"
            hint = f"{did_you_mean(uri, installed)}; intermediary schemas install the list"
            yield Finding(settings.file, "schemas.demanded_lists", what, hint, Severity.WARNING)


def validities(settings: Settings, packages: Iterable[Package], now: datetime) -> Iterator[Diagnosis]:
    """The lines of `doctor` on packages: a warning that names the routes where one has ended or ends soon."""
    try:
        routes = routes_of_packages(settings)
    except Misconfigured:
        routes = {}  # other lines say what is wrong with routes or packages
    for package in packages:
        ends = package.manifest.valid_until
        state = state_on(now.date(), package.manifest.valid_from, ends)
        using = ", ".join(routes.get(package.id, ()))
        if ends is not None and (ends - now.date()).days < SOON_DAYS and using:
            hint = f"used by {using}: install the next version beside it, and set the routes' mappings to it"
            yield Diagnosis(f"schemas {package.id}", "warning", state, hint)
        else:
            yield Diagnosis(f"schemas {package.id}", "ok", " ".join((package.sha256[:16], state)).strip())


def state_on(day: date, begins: date | None, ends: date | None) -> str:
    """What is to be said of a validity on a day, in German; empty where nothing is known."""
    if begins is not None and day < begins:
        return f"ab {begins:%d.%m.%Y}"
    if ends is None:
        return ""
    left = (ends - day).days
    return f"seit {ends:%d.%m.%Y} abgelaufen" if left < 0 else f"bis {ends:%d.%m.%Y} ({left} Tage)"


def _reached(route: Route, mappings: Mappings, packages: Packages) -> Iterator[Package]:
    wanted: dict[str, Package] = {}
    with suppress(Misconfigured):
        mapping = mappings.get(route.mapping)
        tell = getattr(mapping, "standard_of", None)
        standard = str(tell(route.settings) if tell is not None else mapping.standard).replace(" ", "@")
        if standard in packages:
            wanted[standard] = packages[standard]
    root = route.when.root
    for package in packages.values():
        if root is not None and any(root in roots for roots in package.index.values()):
            wanted[package.id] = package
    reached = {one.id: one for package in wanted.values() for one in packages.within_reach(package)}
    yield from reached.values()


def _named_lists(package: Package, lists: Mapping[str, str]) -> frozenset[str]:
    """The packages with code lists that the schemas of a package name."""
    found: set[str] = set()
    for path in package.files.listing.hashes:
        if path.lower().endswith(".xsd"):
            data = package.files.read(path)
            found |= {owner for uri, owner in lists.items() if f'"{uri}"'.encode() in data}
    return frozenset(found - {package.id})
