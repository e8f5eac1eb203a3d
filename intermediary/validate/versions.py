"""Which of several installed packages a document is held against: by the version it states, else by the day (Stichtag)."""

from __future__ import annotations

import re
from datetime import date

from intermediary.core.faults import Misconfigured
from intermediary.validate.package import Package

Place = tuple[Package, str]


def one_of(places: list[Place], root: str, version: str | None, day: date | None) -> Place:
    """The one place for a root element among packages of a kind.

    A stated version decides. Without one, packages outside their validity on `day` are left out, if that leaves any; of
    those that are left the one valid from the latest day is taken, of standards that state their version by an attribute the
    newest. Raises `Misconfigured`: `validate.schema.version` when only other versions are installed,
    `validate.schema.ambiguous` when two packages are left over.
    """
    fitting = [place for place in places if _fits(place[0], version)]
    if not fitting:
        raise Misconfigured("validate.schema.version", where=f"root {root}")
    if day is not None and len(fitting) > 1:
        fitting = _on_day(fitting, day)
    if version is None and all(package.manifest.version_attribute for package, _ in fitting):
        return max(fitting, key=lambda place: _order(place[0].manifest.version))
    if len(fitting) > 1:
        named = ", ".join(sorted(package.id for package, _ in fitting))
        raise Misconfigured("validate.schema.ambiguous", where=f"root {root}: {named}")
    return fitting[0]


def _on_day(places: list[Place], day: date) -> list[Place]:
    valid = [place for place in places if place[0].manifest.is_valid_on(day)] or places
    begins = [package.manifest.valid_from for package, _ in valid]
    known = [begin for begin in begins if begin is not None and begin <= day]
    return [place for place, begin in zip(valid, begins, strict=True) if begin == max(known)] if known else valid


def _fits(package: Package, version: str | None) -> bool:
    manifest = package.manifest
    if version is None or not manifest.version_attribute:
        return True
    return version in (manifest.versions or (manifest.version,))


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
