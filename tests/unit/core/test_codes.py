"""The catalogue of fault codes."""

from __future__ import annotations

import re

import pytest

from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Rejected


def test_codes_have_the_agreed_form_and_say_what_to_do():
    """Each code is a dotted lower-case word with a German meaning and remedy that are sentences."""
    for code in CATALOGUE.values():
        assert re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", code.name), code.name
        assert code.meaning.endswith("."), code.name
        assert code.remedy.endswith("."), code.name


def test_a_fault_with_an_unknown_code_cannot_be_made():
    """A code nobody documented is a defect where it is raised."""
    with pytest.raises(LookupError):
        Rejected("no.such.code")
