"""Options that several verbs share, and the ways they print."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from intermediary.cli.complain import printable

if TYPE_CHECKING:
    from intermediary.operations.person import Request

WIDTH = 100
"""Characters that a line for people has at most, unless it holds something that cannot be broken."""

_LEAST_COLUMN = 6

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def config_option(function: F) -> F:
    """`-c FILE`, or the environment's INTERMEDIARY_CONFIG."""
    return click.option(
        "-c",
        "--config",
        envvar="INTERMEDIARY_CONFIG",
        required=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Configuration file; also from INTERMEDIARY_CONFIG.",
    )(function)


def json_option(function: F) -> F:
    """`--json`: one JSON object per line on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")(function)


def reason_option(function: F) -> F:
    """`--reason`: why; written into the audit trail."""
    return click.option("--reason", default="", help="Why; written into the audit trail.")(function)


def searching_option(function: F) -> F:
    """`--reason` of a verb that only looks: told where somebody searches for an identifier."""
    text = "Why, for example the number of an enquiry; written into the audit trail when you search for a key."
    return click.option("--reason", default="", help=text)(function)


def approval_option(function: F) -> F:
    """`--approval`: the request that a second person has approved."""
    text = "Id of the request that a second person has approved (approvals list)."
    return click.option("--approval", metavar="ID", default="", help=text)(function)


def account() -> str:
    """Who runs the command, for the audit trail: as the system knows it, not as the environment says."""
    from intermediary.cli.identity import identity

    return identity().actor


def requested(reason: str, approval: str = "") -> Request:
    """The request of whoever runs the command: account, person behind it, reason, and what was approved."""
    from intermediary.cli.identity import identity
    from intermediary.operations.person import Request

    who = identity()
    return Request(actor=who.actor, reason=reason, subject=who.subject, approval=approval)


@contextmanager
def installation(config: Path, *, begins: bool = False, needs_keys: bool = False) -> Iterator[Any]:
    """The opened installation of a command; closed at its end. Only a verb that `begins` one makes a store where none is.

    A KEK that does not open ends the command before it does anything if it `needs_keys`, otherwise where it needs that one.
    """
    from intermediary.cli.quiet import quiet_logs
    from intermediary.wiring import open_installation

    quiet_logs()
    opened = open_installation(config, begins=begins, needs_keys=needs_keys)
    try:
        yield opened
    finally:
        opened.store.close()


def say(text: str = "") -> None:
    """One line for people, with control characters shown as escapes."""
    click.echo("\n".join(printable(line) for line in text.split("\n")))


def progress(items: Iterable[T], *, label: str, length: int | None = None, is_silent: bool = False) -> Iterator[T]:
    """The items, with a bar on stderr where a person watches and sees nothing else of long work.

    That is a terminal on stderr and either a verb that prints no line per item (`is_silent`) or a stdout that goes
    elsewhere.
    """
    if not sys.stderr.isatty() or (sys.stdout.isatty() and not is_silent):
        yield from items
        return
    with click.progressbar(items, length=length, label=label, file=sys.stderr) as bar:
        yield from bar


def say_json(value: Any) -> None:
    """One line for machines."""
    click.echo(json.dumps(value, ensure_ascii=False, sort_keys=False, default=str))


def wrapped(text: str, *, indent: int = 0) -> list[str]:
    """The text in lines that fit a terminal; words are never cut, so that ids and paths can be copied."""
    room = WIDTH - indent
    return [" " * indent + line for line in textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)]


def say_wrapped(lines: Iterable[str], *, indent: int) -> None:
    """Lines for people, moved in and broken where they are too long; each keeps its own indentation."""
    for line in lines:
        own = len(line) - len(line.lstrip())
        for piece in wrapped(line.strip(), indent=indent + own):
            say(piece)


def say_setting(key: str, text: str) -> None:
    """A setting of a plug-in and its help, side by side."""
    first, *rest = wrapped(text, indent=37) or [""]
    say(f"    {key:32} {first.strip()}".rstrip())
    for line in rest:
        say(line)


def say_unusable(name: str, flaw: Exception, *, as_json: bool) -> None:
    """A plug-in that is installed and cannot be used, and why; one bad package hides no other."""
    findings = getattr(flaw, "findings", ())
    hint = findings[0].hint if findings else str(flaw)
    if as_json:
        say_json({"name": name, "unusable": hint})
    else:
        say(f"{name}: cannot be used: {hint}")


def table(rows: Sequence[tuple[str, ...]], heads: tuple[str, ...], *, gives: Sequence[str] = ()) -> None:
    """A plain table; columns as wide as their widest cell.

    Where it would be wider than a terminal, the columns headed `gives` are cut, the widest first; `--json` has all of them.
    """
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    givers = [heads.index(head) for head in gives]
    while sum(widths) + 2 * (len(widths) - 1) > WIDTH:
        able = [i for i in givers if widths[i] > max(_LEAST_COLUMN, len(heads[i]))]
        if not able:
            break
        widths[max(able, key=lambda i: widths[i])] -= 1
    for row in [heads, tuple("-" * width for width in widths), *rows]:
        say("  ".join(_cut(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cut(cell: str, width: int) -> str:
    return cell.ljust(width) if len(cell) <= width else f"{cell[: width - 1]}…"
