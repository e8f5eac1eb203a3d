"""What the page of the simulated Fachverfahren says of one arrival, and of what its caller got to see."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intermediary.testing.simulate.fachverfahren.inbox import Content, Inbox
from intermediary.testing.simulate.fachverfahren.page import page

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def shown(folder: Path, *troubles: tuple[str, ...]) -> str:
    """The page after one arrival of two files for each of `troubles`, under keys of their own."""
    inbox = Inbox(folder, now=lambda: NOW, keeps=False)
    for number, trouble in enumerate(troubles):
        files = [Content.of("a.zip", b"a"), Content.of("b.pdf", b"b")]
        inbox.note("rest", f"key-{number}", files, answer="201", trouble=trouble)
    text = page(inbox, faces={"rest": "http://127.0.0.1:1/rest"}, knobs=())
    inbox.close()
    return text


def test_one_arrival_is_one(tmp_path: Path) -> None:
    """One is said as one."""
    one, two = shown(tmp_path / "one", ()), shown(tmp_path / "two", (), ())

    assert ("<b>1</b> Eingang<" in one, "<b>1</b> Wirkung<" in one, ">1 Eingang, neueste" in one) == (True,) * 3
    assert ("<b>2</b> Eingänge<" in two, ">2 Eingänge, neueste" in two) == (True, True)


def test_what_became_of_it_stands_before_its_files(tmp_path: Path) -> None:
    """A narrow window cuts hashes off, not the verdict."""
    heads = re.findall(r'<th scope="col">([^<]*)</th>', shown(tmp_path, ()))

    assert ["Schlüssel", "Vermerk", "Antwort", "Datei"] == heads[3:7]


@pytest.mark.parametrize(
    ("trouble", "answer"), [((), "201"), (("reset-after",), "keine"), (("error-after",), "500"), (("delay",), "201")]
)
def test_the_answer_is_what_its_caller_saw(tmp_path: Path, trouble: tuple[str, ...], answer: str) -> None:
    """After a cut connection the caller knows nothing of the 201 that was meant for it."""
    assert f'<td rowspan="2">{answer}</td><td>a.zip</td>' in shown(tmp_path, trouble)
