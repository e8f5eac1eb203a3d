"""Several versions side by side: the one valid on the day of receipt, where a document states none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.install import install
from intermediary.xml.parser import parse
from tests.unit.validate.samples import ANTRAG, GOOD, NS, TYPEN, PackageMaker

ROOT = f"{{{NS}}}antrag"
OLD = ("2025-11-01", "2026-04-30")
NEW = ("2026-05-01", "2026-10-31")


def _catalogue(make: PackageMaker, folder: Path, *validities: tuple[str, str], attribute: str = "") -> Catalogue:
    """Versions 1, 2, … of one standard; each demands a name one character shorter than the one before."""
    for number, (begin, end) in enumerate(validities, start=1):
        manifest = f'name = "antrag"\nversion = "{number}"\nentries = ["antrag.xsd"]\n'
        manifest += f"valid_from = {begin}\n" if begin else ""
        manifest += f"valid_until = {end}\n" if end else ""
        manifest += f'version_attribute = "{attribute}"\n' if attribute else ""
        files = {"antrag.xsd": ANTRAG, "typen.xsd": TYPEN.replace('value="20"', f'value="{20 - number}"')}
        install(make(f"v{number}", files, manifest), folder, {}, accept_new=True)
    return Catalogue.open(folder)


@pytest.mark.parametrize(
    ("day", "version"),
    [
        (date(2025, 11, 1), "1"),
        (date(2026, 4, 30), "1"),
        (date(2026, 5, 1), "2"),
        (date(2026, 10, 31), "2"),
        (date(2026, 11, 22), "2"),
    ],
)
def test_the_version_valid_on_the_day_counts(
    make_package: PackageMaker, tmp_path: Path, day: date, version: str
) -> None:
    """Both ends of a validity belong to it; after the last one the latest goes on, as validity warns and does not stop."""
    catalogue = _catalogue(make_package, tmp_path / "s", OLD, NEW)

    assert version == catalogue.validate(parse(GOOD.encode()), day=day).rule_sets[0].version


def test_where_two_are_valid_the_later_begun_counts(make_package: PackageMaker, tmp_path: Path) -> None:
    """A transition, in which both are allowed: the one that came last, from its first day on."""
    catalogue = _catalogue(make_package, tmp_path / "s", ("2025-11-01", ""), NEW)

    assert ["1", "2"] == [
        catalogue.validate(parse(GOOD.encode()), day=day).rule_sets[0].version
        for day in (date(2026, 4, 30), date(2026, 5, 1))
    ]


@pytest.mark.parametrize("validities", [(("", ""), ("", "")), (OLD, OLD)])
def test_without_a_difference_in_validity_it_is_ambiguous(
    make_package: PackageMaker, tmp_path: Path, validities: tuple[tuple[str, str], ...]
) -> None:
    """Nobody guesses between versions that say nothing of their days."""
    catalogue = _catalogue(make_package, tmp_path / "s", *validities)
    with pytest.raises(Misconfigured) as caught:
        catalogue.validate(parse(GOOD.encode()), day=date(2026, 1, 1))

    assert "validate.schema.ambiguous" == caught.value.code


def test_a_stated_version_counts_on_every_day(make_package: PackageMaker, tmp_path: Path) -> None:
    """What a document says of itself is older than the calendar."""
    catalogue = _catalogue(make_package, tmp_path / "s", OLD, NEW, attribute="stand")
    stated = catalogue.validate(parse(GOOD.encode()), day=date(2026, 6, 1))

    assert "1" == stated.rule_sets[0].version
    assert ["1", "2"] == [
        schema.rule_set.version
        for day in (date(2026, 1, 1), date(2026, 6, 1))
        for schema in catalogue.schemas_for(ROOT, day=day)
    ]
