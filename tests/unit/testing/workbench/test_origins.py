"""Origins in words: what a Herkunft tells, for each kind that mappings write."""

from __future__ import annotations

import pytest

from intermediary.core.values import Herkunft
from intermediary.testing.workbench.report.origins import Origin, origin_of


@pytest.mark.parametrize(
    ("kind", "source", "origin"),
    [
        ("input", "/S1/G1[2]/F1", Origin("input", "", ("/S1/G1/F1",))),
        ("rule", "NAMEN-VERBUNDEN(/S1/F1, /S1/F2[1])", Origin("rule", "NAMEN-VERBUNDEN", ("/S1/F1", "/S1/F2"))),
        ("codelist", "urn:x:medium_1.0", Origin("codelist", "", (), (), "urn:x:medium", "1.0")),
        (
            "codelist",
            "urn:x:land_7 staat(/S1/F1)",
            Origin("codelist", "", ("/S1/F1",), (), "urn:x:land", "7", "staat"),
        ),
        (
            "codelist",
            "urn:x:rasse_2026-01(/S1/F1[2])",
            Origin("codelist", "", ("/S1/F1",), (), "urn:x:rasse", "2026-01"),
        ),
        ("codelist", "F9V1.0(/S1/F9V1.0)", Origin("codelist", "", ("/S1/F9V1.0",), (), "F9V1.0", "")),
        ("metadata", "settings.aktenplan", Origin("metadata", "", (), ("aktenplan",))),
        ("rule", "mapping.xslt:71 kopf", Origin("sheet", others=("mapping.xslt, Zeile 71",))),
        (
            "rule",
            "mapping.xslt:52 meldung(/S1/F1)",
            Origin("sheet", "", ("/S1/F1",), others=("mapping.xslt, Zeile 52",)),
        ),
    ],
)
def test_an_origin_is_read(kind: str, source: str, origin: Origin) -> None:
    """Fields, settings, lists, tables and lines are told apart."""
    assert origin == origin_of(Herkunft("/Ziel/Blatt", kind, source), "/S1")
