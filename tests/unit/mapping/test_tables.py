"""Settings of a mapping, code lists as tables, and the TOML they are written in."""

from __future__ import annotations

import tomllib

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.mapping import toml
from intermediary.mapping.codes import CodeTable, code_table, rows_of
from intermediary.mapping.provenance import Sourced
from intermediary.mapping.settings import read_settings
from intermediary.xml.parser import parse
from mappings.bewohnerparken.einstellungen import Einstellungen

_ROW = (
    '<Row><Value ColumnRef="a"><SimpleValue>{}</SimpleValue></Value>'
    '<Value ColumnRef="b"><SimpleValue>{}</SimpleValue></Value></Row>'
)
_LIST = (
    '<gc:CodeList xmlns:gc="http://docs.oasis-open.org/codelist/ns/genericode/1.0/"><Identification>'
    "<Version>3</Version><CanonicalUri>urn:l</CanonicalUri></Identification>"
    "<SimpleCodeList>{}</SimpleCodeList></gc:CodeList>"
)


def _codelist(*rows: tuple[str, str]) -> bytes:
    return _LIST.format("".join(_ROW.format(*row) for row in rows)).encode()


def test_settings_are_read() -> None:
    """Given texts become the dataclass; what is left out has its default."""
    settings = read_settings(Einstellungen, {"aktenplan": "1", "aktenzeichen": "1/{jahr}-{monat}-{tag}/{vorgang}"})

    assert "false" == settings.empfangsbestaetigung
    assert "1/{jahr}-{monat}-{tag}/{vorgang}" == settings.aktenzeichen


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"aktenplan": None}, "aktenplan"),
        ({"aktenplam": "1"}, "aktenplam"),
        ({"empfangsbestaetigung": "ja"}, "empfangsbestaetigung"),
        ({"aktenplan": " "}, ""),
        ({"aktenzeichen": "{lfd}"}, ""),
        ({"absender": "a\nb"}, ""),
    ],
)
def test_wrong_settings_wait_for_the_operator(change: dict[str, str | None], where: str) -> None:
    """A missing, unknown or impossible setting is the operator's to heal, and the fault says where."""
    given = {"aktenplan": "1", "aktenzeichen": "1"} | change
    with pytest.raises(Misconfigured) as fault:
        read_settings(Einstellungen, {key: value for key, value in given.items() if value is not None})

    assert ("mapping.setting.invalid", where) == (fault.value.code, fault.value.where)
    assert fault.value.findings


def test_code_tables_come_from_genericode() -> None:
    """Rows without a key are left out; list and version are those of the file."""
    table = tomllib.loads(code_table("t", parse(_codelist(("1", "X  Y"), ("", "Z"))), key_column="a", value_column="b"))

    assert {"name": "t", "list_uri": "urn:l", "version": "3", "rows": {"1": "X Y"}} == table


def test_ambiguous_code_tables_are_refused() -> None:
    """A key that stands for two values is nobody's guess."""
    codelist = parse(_codelist(("1", "X"), ("1", "Y"), ("", "Z")))

    assert 3 == len(rows_of(codelist))
    with pytest.raises(ValueError, match="two values"):
        code_table("t", codelist, key_column="a", value_column="b")


def test_translated_codes_name_list_and_input() -> None:
    """A code found in a table says which list it is of and which input led to it; an unknown input gives none."""
    table = CodeTable("t", "urn:l", "3", {"000": "DE"})
    code = table.translate(Sourced("000", "input", "/S/F"))

    assert code is not None
    assert ("DE", "codelist", "urn:l_3 t(/S/F)") == (code.code.value, code.code.kind, code.code.source)
    assert table.translate(Sourced("999", "input", "/S/F")) is None
    assert table.translate(None) is None


def test_toml_is_read_back() -> None:
    """Whatever is written is read as it was."""
    table = {'a.b "c"\n': "ä\\\x7f\t", "": "\u202e"}
    inline = {"name": "x", "least": 1, "required": True, "list": ["a", "b"]}
    text = "\n".join([*toml.pairs(table), f"row = {toml.value(inline)}"])

    assert table | {"row": inline} == tomllib.loads(text)
