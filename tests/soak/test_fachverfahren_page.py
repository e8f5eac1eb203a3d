"""The page of the simulated Fachverfahren under axe-core: a second opinion on whether everybody can use it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from intermediary.testing.axe import Axe, AxeMissing
from intermediary.testing.faces.mischief import Knob
from intermediary.testing.simulate.fachverfahren.inbox import Content, Inbox
from intermediary.testing.simulate.fachverfahren.page import confirm_page, page

pytestmark = pytest.mark.soak


def test_no_rule_of_axe_is_broken(tmp_path: Path) -> None:
    """Neither an empty inbox, nor one with every kind of arrival, nor the question before a content breaks a rule."""
    try:
        axe = Axe(tmp_path)
    except AxeMissing as missing:
        pytest.skip(str(missing))
    inbox = Inbox(tmp_path / "inbox", now=lambda: datetime.now(UTC), keeps=True, forgetful=True)
    faces = {"rest": "http://127.0.0.1:1/rest", "soap": "http://127.0.0.1:1/soap"}
    empty = page(inbox, faces=faces, knobs=())
    for data, is_refused in ((b"x", True), (b"x", False), (b"x", False), (b"y", False)):
        files = [Content.of("a.zip", data), Content.of("b.pdf", b"z")]
        inbox.note("rest", "key", files, answer="201", trouble=("reset-after",), is_refused=is_refused)
    full = page(inbox, faces=faces, knobs=[Knob.parse("reset-after@rest=next3")], chosen="rest")
    inbox.close()

    assert ((), (), ()) == tuple(axe.check(text.encode()) for text in (empty, full, confirm_page("0" * 64, "a.zip")))
