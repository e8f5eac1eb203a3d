"""Every code leads an operator to something that exists."""

from __future__ import annotations

import re
from pathlib import Path

from intermediary.core.codes import CATALOGUE
from intermediary.core.runbooks import RUNBOOKS_PAGE, runbook


def _anchors(project: Path, page: str) -> set[str]:
    return set(re.findall(r'<a id="([^"]+)"></a>', (project / page).read_text(encoding="utf-8")))


def test_every_code_has_an_anchor(project: Path) -> None:
    """The link that `explain` and alerts give resolves, for every code of the catalogue."""
    links = {code: runbook(code).partition("#") for code in CATALOGUE}
    known = {page: _anchors(project, page) for page in {page for page, _, _ in links.values()}}

    assert {} == {code: link for code, link in links.items() if link[2] not in known[link[0]]}


def test_every_runbook_is_reached(project: Path) -> None:
    """No section is written for nobody: a code leads to each."""
    reached = {runbook(code).partition("#")[2] for code in CATALOGUE if runbook(code).startswith(RUNBOOKS_PAGE)}

    assert _anchors(project, RUNBOOKS_PAGE) == reached
