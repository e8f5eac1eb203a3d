"""Schemas of the hostile corpus: refused at installation, without a look at network or files."""

from __future__ import annotations

import json
import resource
import secrets
import socket
import time
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.install import install
from intermediary.xml.parser import parse


def test_hostile_schemas_are_met_as_the_corpus_expects(shared: Path, tmp_path: Path) -> None:
    """Every XSD case has its outcome within the ceiling, with no connection and no canary read."""
    corpus = shared / "vectors" / "hostile"
    canary = tmp_path / "canary.txt"
    canary.write_text(f"<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'/><!-- {secrets.token_hex()} -->")
    cases = [
        case
        for case in json.loads((corpus / "manifest.json").read_text())["cases"]
        if case.get("file", "").startswith("xsd/")
    ]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        wrong = []
        for case in cases:
            text = (corpus / case["file"]).read_text()
            text = text.replace("127.0.0.1:18999", f"127.0.0.1:{listener.getsockname()[1]}")
            text = text.replace("/tmp/hostile-canary.txt", str(canary))
            before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
            outcome = _outcome(tmp_path / case["id"], Path(case["file"]).name, text, case.get("instance"))
            seconds = time.monotonic() - started
            growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            is_expected = outcome in ("reject", case["expect"]) or "accept" in case["expect"]
            if not is_expected or seconds > case["ceiling"]["seconds"] or growth > case["ceiling"]["rss_growth_mb"]:
                wrong.append((case["file"], outcome, seconds, growth))
        with pytest.raises(BlockingIOError):
            listener.accept()

    assert len(cases) >= 10
    assert [] == wrong


def _outcome(folder: Path, name: str, text: str, instance: str | None) -> str:
    package = folder / "package"
    package.mkdir(parents=True)
    (package / name).write_text(text)
    try:
        install(package, folder / "schemas", {}, accept_new=True, as_id="fremd@1")
        if instance is not None:
            Catalogue.open(folder / "schemas").validate(parse(instance.encode()))
    except Misconfigured:
        return "reject"
    return "accept"


@pytest.mark.parametrize(
    "inner",
    [
        '<xs:redefine schemaLocation="file:///etc/hostname"/>',
        '<xs:override schemaLocation="a.xsd"/>',
        '<xs:import namespace="urn:x" schemaLocation="//127.0.0.1/x.xsd"/>',
        '<xs:import namespace="urn:x" schemaLocation="\\\\host\\share\\x.xsd"/>',
        '<xs:include schemaLocation="schema:/0"/>',
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/hostname" parse="text"/>',
        '<xs:element name="x"><xs:complexType><xs:group ref="g"/></xs:complexType></xs:element>',
        '<xs:complexType name="x"><xs:complexContent><xs:extension base="x"/></xs:complexContent></xs:complexType>',
        '<xs:attributeGroup name="g"><xs:attributeGroup ref="g"/></xs:attributeGroup>',
        '<xs:simpleType name="s"><xs:union memberTypes="s"/></xs:simpleType>',
    ],
)
def test_more_schemas_that_must_not_pass(tmp_path: Path, inner: str) -> None:
    """Other ways out of the package, XSD 1.1, and definitions that run in circles."""
    text = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        f'{inner}<xs:element name="a" type="xs:string"/></xs:schema>'
    )

    assert "reject" == _outcome(tmp_path, "a.xsd", text, None)
