"""axe-core in headless Chromium finds nothing in the documents for the e-file: golden ones, and generated ones."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from intermediary.mapping.document import Frame, document
from intermediary.mapping.entries import entries_of_xml
from intermediary.mapping.filled import fill
from intermediary.mapping.page import File
from intermediary.testing import generated_forms
from intermediary.testing.axe import SERIOUS, Axe, AxeMissing
from intermediary.xml.parser import parse

pytestmark = pytest.mark.soak

GOLDEN = sorted((Path(__file__).resolve().parents[2] / "mappings/fim_eakte/golden").glob("*/expected/Angaben.html"))


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Axe:
    """axe-core from the npm registry; skipped where it cannot be had, unless INTERMEDIARY_SERVERS_REQUIRED=1."""
    try:
        return Axe(tmp_path_factory.mktemp("axe"))
    except AxeMissing as missing:
        if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1":
            pytest.fail(str(missing))
        pytest.skip(f"no axe-core: {missing}")


def test_axe_finds_what_is_wrong(axe: Axe) -> None:
    """A page without language, alternative text and contrast is found out: silence below means something."""
    body = b'<img src="x"><p style="color:#ccc">hell</p>'
    page = b"<!DOCTYPE html><html><head><title>x</title></head><body>" + body + b"</body></html>"

    assert {"color-contrast", "html-has-lang", "image-alt"} <= {
        one.id for one in axe.check(page) if one.impact in SERIOUS
    }


@pytest.mark.parametrize("page", GOLDEN, ids=lambda path: path.parent.parent.name)
def test_golden_documents(axe: Axe, page: Path) -> None:
    """Not one violation of any impact in what the services write."""
    assert () == axe.check(page.read_bytes())


@pytest.mark.parametrize("number", range(5))
def test_generated_documents(axe: Axe, number: int) -> None:
    """Nothing serious in documents of generated forms: deep groups, long texts, every part of the page filled."""
    draw = random.Random(20261122 + number)
    form = generated_forms.form(draw, number + 1)
    filled = fill(form, entries_of_xml(parse(generated_forms.xfall(form, draw))), loose="Weitere Angaben")
    files = [File("Anlage 1", "scan.pdf", "application/pdf", 1000)]
    frame = Frame("Stadt", "1/2026", [("Betreff", "x")], files, "Ende.", test="Testnachricht", with_help=True)

    assert [] == [one for one in axe.check(document(filled, frame)) if one.impact in SERIOUS]
