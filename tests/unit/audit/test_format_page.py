"""The page on the audit format is enough to write a verifier: the one printed there runs and agrees with ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from intermediary.audit.events import EVENTS
from intermediary.keys.signing import SigningKey, create_signing_key
from tests.conformance.store_kit import DELIVERED, N, attempt, bench_in, planned

Check = Callable[[Iterable[str], Iterable[str], bytes], int]


@pytest.fixture(scope="module")
def check(project: Path) -> Check:
    """The verifier of the page."""
    page = (project / "docs" / "reference" / "audit-format.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    made: Check = names["check"]
    return made


@pytest.fixture
def export(tmp_path: Path) -> tuple[list[str], list[str], bytes]:
    """An export of a store with two heads and an unsealed tail."""
    key: SigningKey = create_signing_key(tmp_path / "key.pem")
    bench = bench_in(tmp_path)
    store = bench.open()
    now = datetime(2026, 11, 21, tzinfo=UTC)
    for number in range(3):
        claim = attempt(store, planned(store, message_id=f"antrag-{number}"), DELIVERED)
        store.answered(claim, N.COMPLETED, {"größe": "1"}, now)
        if number < 2:
            store.seal_heads(key.sign, now + timedelta(seconds=number))
    lines = [entry.line() for entry in store.all_events()]
    heads = [head.line() for head in store.heads()]
    bench.close()
    return lines, heads, key.public_pem()


def test_the_printed_verifier_runs(check: Check, export: tuple[list[str], list[str], bytes]) -> None:
    """It accepts a true export and counts what is sealed."""
    assert 12 == check(*export)


@pytest.mark.parametrize("line", range(18))
def test_the_printed_verifier_finds_changes(
    check: Check, export: tuple[list[str], list[str], bytes], line: int
) -> None:
    """A changed, and up to the last head a missing line, is refused."""
    lines, heads, pem = export
    changed = [*lines[:line], lines[line].replace("antrag", "x").replace('"seq":', '"seq":1'), *lines[line + 1 :]]

    with pytest.raises(AssertionError):
        check(changed, heads, pem)
    if line < 12:
        with pytest.raises(AssertionError):
            check(lines[:line] + lines[line + 1 :], heads, pem)


def test_events_of_a_life_are_in_the_list(export: tuple[list[str], list[str], bytes]) -> None:
    """Whatever is exported is explained."""
    named = {re.search(r'"name":"([^"]+)"', line).group(1) for line in export[0]}  # type: ignore[union-attr]

    assert named <= set(EVENTS)
