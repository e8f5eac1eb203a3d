"""The conformance kit at the connector `xta_postfach`, whose target is the engine's own store with a reader at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from intermediary.core.ports import Idempotency
from intermediary.testing.kit.check import check
from intermediary.testing.kit.description import candidates
from intermediary.testing.kit.order import order
from intermediary.testing.kit.post_box_target import PostBox
from intermediary.testing.kit.verdict import GUARANTEES

SILENT = {"lookup", "faults", "time"}
"""What nobody can try on it: it is never asked, and has no conversation in which something could go wrong."""
SAID = {"post_box": "fvt:0000000001", "form": "nachricht"}


def test_the_post_box_keeps_its_word() -> None:
    """All that can be tried holds at the level it declares: also 40 MiB, a commit that fails, one that nobody saw, kills."""
    (candidate,) = candidates("xta_postfach")

    report = check(candidate)

    found = {one.name: one.standing for one in report.verdicts}
    assert Idempotency.NATIVE is report.manifest.idempotency
    assert {name: "untried" if name in SILENT else "holds" for name in GUARANTEES} == found
    assert "message, attachment, attachment" in report.verdicts[0].seen[0]


@contextmanager
def started(folder: Path) -> Iterator[PostBox]:
    target = PostBox()
    target.start(folder)
    try:
        yield target
    finally:
        target.stop()


def test_the_target_sees_what_goes_wrong(tmp_path: Path) -> None:
    """Another reader's box, another order for the same key, and a commit that failed are seen by their effects."""
    with started(tmp_path) as target:
        one, other, late = order(1), order(2), order(3)

        assert ["", ""] == [target.keep(one, SAID), target.keep(other, {**SAID, "post_box": "fvt:2"})]
        assert "" == target.keep(replace(one, attempt=2), {**SAID, "file_name": "anders.xml"})
        target.misbehave("busy")
        assert "transient" == target.keep(late, SAID)

        kinds = [[effect.kind for effect in target.effects(each.key)] for each in (one, other, late)]
        assert [["message", "attachment", "attachment", "changed"], ["misfiled"], []] == kinds
