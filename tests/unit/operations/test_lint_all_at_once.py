"""`lint` tells all mistakes at once: a misspelt key of the settings does not hide those of the routes."""

from __future__ import annotations

import pytest

from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Misconfigured
from intermediary.operations import check
from intermediary.operations.check import doctor, lint
from intermediary.settings import ConfigurationError, load
from tests.unit.operations.conftest import MAIN, NOW, Place

MISSPELT = MAIN + "\n[delivery]\nfirst_wait_second = 5\n[scna]\nclamd = 'unix:/run/clamd'\n"
ROUTES = """
[[route]]
name = "bau"
mandant = "musterstad"
mapping = "bauantrag@1"
[[route.target]]
name = "eakte"
connector = "ordne"
"""


def test_unknown_keys_hide_no_other_finding(place: Place) -> None:
    """Whoever heals them one by one would call lint three times."""
    place.write("intermediary.toml", MISSPELT)
    place.write("routes.toml", ROUTES)

    findings = lint(place.folder / "intermediary.toml")

    assert {"delivery.first_wait_second", "scna", "route[bau].mandant"} <= {one.path for one in findings}
    assert {"mandant[musterstadt].kek_file"} <= {one.path for one in findings if one.is_blocking}


def test_what_a_connector_lacks_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy speaks of the extension that was named: lint names it, as doctor does."""
    place.settings(MAIN)
    place.write("routes.toml", ROUTES.replace("musterstad", "musterstadt").replace('"ordne"', '"sftp"'))
    extension = "pip install 'xta-osci-intermediary[sftp]'"

    def without(*_: object, **__: object) -> None:
        raise Misconfigured("target.library.missing", where=extension)

    monkeypatch.setattr(check, "open_connector", without)
    [finding] = [one for one in lint(place.folder / "intermediary.toml") if "target[eakte]" in one.path]

    assert extension in finding.hint
    assert CATALOGUE["target.library.missing"].remedy in finding.hint


def test_nothing_starts_with_an_unknown_key(place: Place) -> None:
    """It may have been meant: only lint and doctor look past it, and both tell it as a mistake."""
    place.write("intermediary.toml", MISSPELT)
    place.write("routes.toml", ROUTES)

    with pytest.raises(ConfigurationError, match="first_wait_second"):
        load(place.folder / "intermediary.toml")
    told = {one.subject: one.verdict for one in doctor(place.folder / "intermediary.toml", NOW)}
    assert "bad" == told["intermediary.toml delivery.first_wait_second"]
