"""Schemas of the hostile corpus: refused at installation, without a look at network or files."""

from __future__ import annotations

from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.validate.install import install


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

    assert "reject" == _outcome(tmp_path, "a.xsd", text)


def _outcome(folder: Path, name: str, text: str) -> str:
    package = folder / "package"
    package.mkdir(parents=True)
    (package / name).write_text(text)
    try:
        install(package, folder / "schemas", {}, accept_new=True, as_id="fremd@1")
    except Misconfigured:
        return "reject"
    return "accept"
