"""What rules remark without refusing, and what nobody checked, is kept with the Nachricht and told."""

from __future__ import annotations

from pathlib import Path

from intermediary.cli.sheet import about_remarks
from intermediary.core.states import NachrichtState
from intermediary.core.values import Befund
from intermediary.operations.look import explain
from intermediary.testing.samples import sample_letter
from intermediary.validate.install import install
from intermediary.validate.verdict import NO_SCHEMA, NOT_RUN, Verdict, remarks
from intermediary.wiring import Configuration
from tests.acceptance.rig import Rig

NS = "urn:fim-de:xfall:datenschema:xdf3"
SCHEMA = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{NS}">
  <xs:element name="S05000000058V1.0.0"><xs:complexType><xs:sequence>
    <xs:any maxOccurs="unbounded" processContents="skip"/></xs:sequence></xs:complexType></xs:element></xs:schema>"""
RULES = f"""<sch:schema xmlns:sch="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt">
  <sch:ns prefix="x" uri="{NS}"/><sch:pattern><sch:rule context="/*">
  <sch:assert id="hinweis-1" role="warning" test="false()">Eine Telefonnummer erleichtert Rückfragen.</sch:assert>
  </sch:rule></sch:pattern></sch:schema>"""
MANIFEST = 'name = "hinweise"\nversion = "1"\nentries = ["a.xsd"]\n[[rules]]\nfile = "r.sch"\n'


def test_warnings_are_kept_and_told(rig: Rig, tmp_path: Path) -> None:
    """Delivered all the same; the plan has rule and place, explain and show say it, and the audit trail covers it."""
    package = tmp_path / "hinweise"
    package.mkdir()
    for name, text in (("a.xsd", SCHEMA), ("r.sch", RULES), ("package.toml", MANIFEST)):
        (package / name).write_text(text)
    install(package, rig.site.folder / "schemas", {}, accept_new=True)
    rig.configuration = Configuration(rig.installation.settings)
    rig.worker = rig.new_worker()
    found = rig.submit(sample_letter(1, now=rig.clock()), "a-1")

    rig.work()

    nachricht = rig.get(found)
    [warning] = nachricht.plan["remarks"]["warnings"]
    told = "\n".join(explain(nachricht, (), rig.clock()).lines)
    shown = "\n".join(about_remarks(nachricht.plan["remarks"]))
    assert NachrichtState.COMPLETED is nachricht.state
    assert ("validate.rules.warning", "hinweis-1", "/S05000000058V1.0.0") == (
        warning["code"],
        warning["rule"],
        warning["path"],
    )
    assert "Eine Telefonnummer erleichtert Rückfragen." in told
    assert "Hinweise von Regeln zum Antrag (1), die nichts verhindern:" in shown
    assert f"- {NO_SCHEMA}" in told


def test_what_was_not_checked_has_a_name() -> None:
    """A missing processor is told with the rules it would have run; a verdict with nothing to say leaves no trace."""
    output = Verdict(True, not_run=(Befund("validate.rules.engine", hint="xrechnung-regeln@3.0 ubl.sch"),))

    [told] = remarks(NOT_RUN, output)["not_checked"]
    assert told.endswith("xrechnung-regeln@3.0 ubl.sch")
    assert "saxonche" in told
    assert {} == remarks(Verdict(True), Verdict(True))
    assert {"not_checked": [NO_SCHEMA]} == remarks(Verdict(True), NOT_RUN)
