"""`mapping test`: what it says of a change, of a defect and of what the cases show, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.testing.workbench.conftest import Copy


def test_all_is_as_expected(copy: Copy) -> None:
    """A package that is not installed is tested by its folder; the figures stand below the verdict."""
    done = copy.call("test")

    assert 0 == done.exit_code, done.output
    assert [
        "musterverfahren-hundesteuer@1: 3 von 3 Fällen wie erwartet (Ausgaben nicht amtlich geprüft: --schemas)",
        "    Herkunft: 8 von 8 Blattelementen (100 %)",
        "    Pflichtangaben des Ziels: 10 von 10 gefüllt",
        "    Felder des Formulars: 5 von 5 gelesen",
    ] == done.output.splitlines()


def test_without_the_package_nothing_was_checked_officially(copy: Copy, tmp_path: Path) -> None:
    """A schemas folder without the standard: the case does not count, no check is claimed, and it says what to type."""
    done = copy.call("test", "--schemas", str(tmp_path))

    assert 1 == done.exit_code
    assert (
        "musterverfahren-hundesteuer@1: 2 von 3 Fällen wie erwartet (Ausgaben nicht amtlich geprüft: Paket fehlt)"
        in done.output.splitlines()
    )
    assert f"    einspielen: intermediary schemas install PAKET --folder {tmp_path}" in done.output.splitlines()


def test_a_difference_has_its_element_and_line(copy: Copy) -> None:
    """Element, expected, found, and the line of the mapping that wrote it."""
    copy.change("mapping.py", '" ".join(name.value', '"-".join(name.value')
    done = copy.call("test")
    lines = done.output.splitlines()
    place = next(line for line in lines if "/halter/vornamen" in line)

    source = (copy.folder / "mapping.py").read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(source, 1) if 'halter.leaf("vornamen"' in line)
    assert 1 == done.exit_code
    assert place.endswith(f"(mapping.py:{number})")
    after = lines[lines.index(place) + 1 : lines.index(place) + 3]
    assert ["        erwartet: „Zoë Günther“", "        gefunden: „Zoë-Günther“"] == after


def test_update_makes_it_the_expectation(copy: Copy) -> None:
    """`--update` writes what came out; afterwards all is as expected. A verdict is never updated."""
    copy.change("mapping.py", '" ".join(name.value', '"-".join(name.value')

    assert 0 == copy.call("test", "--update").exit_code
    assert 0 == copy.call("test").exit_code
    copy.change("mapping.py", "    befunde.refuse()", "    pass")
    refused = copy.call("test", "--update")
    assert 1 == refused.exit_code
    assert "02-alle-befunde" in refused.output


def test_a_defect_names_the_line(copy: Copy) -> None:
    """What the target does not allow, and any other exception, lead to the line of the mapping and show it."""
    copy.change(
        "mapping.py", 'halter.leaf("familienname", angaben.required("familienname"))', 'halter.leaf("nachname", None)'
    )
    done = copy.call("test")
    assert 1 == done.exit_code
    assert "/halter/nachname  (mapping.py:" in done.output
    assert 'halter.leaf("nachname", None)' in done.output

    copy.change("mapping.py", 'halter.leaf("nachname", None)', 'raise KeyError("synthetisch")')
    broken = copy.call("test")
    assert 1 == broken.exit_code
    assert "KeyError: 'synthetisch'" in broken.output
    assert 'raise KeyError("synthetisch")' in broken.output


def test_what_nobody_reads_and_nobody_fills_is_told(copy: Copy) -> None:
    """Fields that are sent in vain are listed; what the target demands and no case fills is a finding."""
    copy.change("mapping.py", '    hund.leaf("rasse", angaben.optional("rasse"))\n', "")
    copy.change(
        "mapping.py", '    hund.leaf("rufname", angaben.required("rufname"))\n', "    raise NotImplementedError\n"
    )
    done = copy.call("test", "--json")
    facts = json.loads(done.stdout)

    assert 1 == done.exit_code
    assert "/hundesteuer.anmeldung.0001/hund/rufname" in facts["not_filled"]
    assert "/hundesteueranmeldung/hund/rufname" in facts["unseen"]


def test_a_field_that_is_sent_in_vain_is_told(copy: Copy) -> None:
    """A mapping that stops reading a field goes on working, and the field is named."""
    copy.change("mapping.py", '    hund.leaf("rasse", angaben.optional("rasse"))\n', "")
    copy.call("test", "--update")
    done = copy.call("test")

    assert 0 == done.exit_code, done.output
    assert "      gesendet, aber nie gelesen: 1" in done.output.splitlines()
    assert "hund/rasse" in done.output


def test_usage_is_told_apart(copy: Copy, tmp_path: Path) -> None:
    """A folder without a mapping is a mistake of the command line, not a finding."""
    (copy.root / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    empty = copy.call("test")

    assert 2 == empty.exit_code
    assert "kein Mapping" in empty.output
