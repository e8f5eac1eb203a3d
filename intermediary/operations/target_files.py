"""The files that the settings of a target name: secrets that are kept as such, and what they open to a vendor's code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from intermediary.connect.lane.connector import LaneConnector
from intermediary.connect.lane.grounds import ground_of, paths_of
from intermediary.connect.settings import Isolated, open_connector
from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Fault, Misconfigured
from intermediary.core.ports import ConnectorFactory
from intermediary.operations.diagnosis import Diagnosis, bad
from intermediary.route.plugins import Connectors
from intermediary.route.table import RoutingTable
from intermediary.settings.files import check_secret
from intermediary.settings.finding import Finding, Severity
from intermediary.settings.models import Settings

_EXPOSES = CATALOGUE["target.lane.exposes"]
_UNFENCED = CATALOGUE["target.lane.unfenced"]


def lint_target_files(settings: Settings, table: RoutingTable, installed: Connectors) -> Iterator[Finding]:
    """Secrets that are missing or open to everybody; folders of vendors' targets in which the installation's own files lie;
    certificates, keys and descriptions that the connector cannot use.

    What is wrong with a connector or its settings is said elsewhere.
    """
    file = settings.installation.routes
    for route in table.routes:
        for target in route.targets:
            place = f"route[{route.name}].target[{target.name}].settings"
            try:
                factory = installed.get(target.connector)
                paths = paths_of(factory, target.settings, base=file.parent, where=place)
            except Fault:
                continue
            for path, is_secret in paths:
                if is_secret:
                    yield from check_secret(file, place, path)
            if isinstance(factory, Isolated):
                yield from _exposed(settings, file, place, ground_of(paths).write)
            yield from _examined(factory, target.settings, file, place)


def fenced(subject: str, connector: object) -> Iterator[Diagnosis]:
    """Whether the kernel fences a vendor's connector in, once it has run; nothing to say of ours."""
    if isinstance(connector, LaneConnector):
        missing = [name for name, stands in connector.fences().items() if not stands]
        if missing:
            yield Diagnosis(subject, "warning", f"{_UNFENCED.meaning} ({', '.join(missing)})", _UNFENCED.remedy)


def _examined(factory: ConnectorFactory, table: Mapping[str, object], file: Path, place: str) -> Iterator[Finding]:
    """What the connector finds wrong with the files of its settings, if it can say; a secret's own file is said above."""
    try:
        look = getattr(open_connector(factory, table, base=file.parent, where=place), "examine", None)
    except Fault:
        return
    try:
        if look is not None:
            look()
    except Misconfigured as fault:
        if not fault.code.startswith("target.secret."):
            line = bad(place, fault)
            yield Finding(file, place, line.what, line.hint, Severity.TARGET)
    except Fault:  # a vendor's process that cannot be asked now
        return


def _exposed(settings: Settings, file: Path, place: str, folders: tuple[str, ...]) -> Iterator[Finding]:
    for own in _own(settings):
        if any(own.resolve().is_relative_to(Path(one).resolve()) for one in folders):
            yield Finding(file, place, f"{_EXPOSES.meaning} ({own})", _EXPOSES.remedy, Severity.WARNING)
            return


def _own(settings: Settings) -> Iterator[Path]:
    """What nobody but the daemon is to read."""
    installation = settings.installation
    yield from (settings.file, installation.data)
    for mandant in settings.mandant:
        yield from (mandant.keyring, mandant.kek_file, *mandant.previous_kek_files)
