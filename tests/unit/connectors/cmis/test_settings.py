"""The settings of a CMIS target: what could hurt is refused before anything is sent, and all of it is documented."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from connectors.cmis.connector import CONNECTOR, MANIFEST, Cmis
from connectors.cmis.settings import CmisSettings
from intermediary.connect.settings import build_settings, describe_settings
from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Misconfigured

GOOD = {"url": "https://dms.example/cmis/browser", "folder": "/Eingang/{mandant}", "key_property": "efa:schluessel"}


@pytest.mark.parametrize(
    ("table", "hint"),
    [
        ({"url": "http://dms.example/"}, "https"),
        ({"key_property": ""}, "found again"),
        ({"key_property": "a' OR 'a"}, "id of a property"),
        ({"folder": "/{mandant"}, "brace"),
        ({"case": {"name": "{aktenzeichen}"}}, "found again"),
        ({"case": {"name": "{aktenzeichen}", "shared": True, "key_property": "efa:x"}}, "no single"),
        ({"document": {"properties": {"cmis:name": "x"}}}, "of its own"),
        ({"contents": "documents", "document": {"name": "{key}"}}, "several documents"),
        ({"csrf_header": "X Y"}, "name of a header"),
        ({"chunk_mb": -1}, "at least 0"),
    ],
)
def test_what_could_hurt_is_refused(table: dict[str, Any], hint: str, tmp_path: Path) -> None:
    """Settings under which something would be lost, filed twice or told to a stranger are findings of lint."""
    with pytest.raises(Misconfigured) as raised:
        build_settings(CmisSettings, GOOD | table, base=tmp_path, where="target")

    assert any(hint in finding.hint for finding in raised.value.findings)


def test_the_least_is_enough(tmp_path: Path) -> None:
    """Address, folder and key are all that has to be told."""
    settings = build_settings(CmisSettings, GOOD, base=tmp_path, where="target")

    assert ("package", None, 64 << 20) == (settings.contents, settings.case, settings.chunk_bytes)


def test_readme_names_every_setting_and_only_known_codes(project: Path) -> None:
    """The README has a line for each setting of its own and no code that the catalogue does not know."""
    text = (project / "connectors/cmis/README.md").read_text(encoding="utf-8")
    own = [one for one in describe_settings(CONNECTOR.settings_type) if not one.key.startswith(("auth.", "http."))]
    missing = [one.key for one in own if one.type != "table" and f"| `{one.key}` |" not in text]
    codes = set(
        re.findall(r"^\| `([a-z]+\.[a-z.-]+)` \| [^|]* \| (?:Zeit|Betrieb|Person|`lookup`)", text, re.MULTILINE)
    )

    assert [] == missing
    assert MANIFEST is CONNECTOR.manifest is Cmis.manifest
    assert {"target.name.taken", "output.changed"} < codes <= set(CATALOGUE)
