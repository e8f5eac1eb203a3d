"""A route with two targets: a Fachverfahren that takes files, and an e-file that answers with xdomea messages."""

from __future__ import annotations

from pathlib import Path

from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, route_toml
from intermediary.testing.samples import SERVICE
from tests.conformance.eakte_target import EakteTarget

ACKNOWLEDGED = """
[route.target.settings.acknowledgement]
folder = "fachverfahren-antworten"
"""

_TARGETS = """\
[[route.target]]
name = "fachverfahren"
connector = "ordner"
[route.target.settings]
drop = "fachverfahren"
state = ".fachverfahren-state"
{acknowledgement}
[[route.target]]
name = "eakte"
connector = "eakte_ordner"
required = {required}
[route.target.settings]
drop = "eakte/drop"
state = "eakte/state"
[route.target.settings.answers]
folder = "eakte/answers"
archive = "eakte/archive"
unmatched = "eakte/unmatched"
deadline_hours = 24
"""


def write_route(site: Site, *, required: bool = True, acknowledgement: str = "") -> EakteTarget:
    """Replace the site's route by one with both targets, before anything was taken; gives the e-file."""
    eakte = EakteTarget(site.folder / "eakte")
    answers(site).mkdir()
    head = route_toml("bewohnerparken", SERVICE, golden_settings()).partition("[[route.target]]")[0]
    targets = _TARGETS.format(required=str(required).lower(), acknowledgement=acknowledgement)
    (site.folder / "routes.toml").write_text(head + targets, encoding="utf-8")
    return eakte


def answers(site: Site) -> Path:
    """Where the Fachverfahren answers, if it does."""
    return site.folder / "fachverfahren-antworten"
