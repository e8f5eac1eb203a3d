"""Turns a failure into what an operator reads: what is wrong, where, what to do; and the exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Fault

if TYPE_CHECKING:
    from intermediary.operations.approvals import ApprovalNeeded
    from intermediary.store.job_records import JobRecord

FINDINGS = 1
USAGE = 2


def complain(failure: Exception) -> int:
    """Print one failure in the house's form (HOUSE §12) on stderr; returns the exit code of the command.

    What nobody expected is shown as its kind and place: its text may quote a message (rule R5).
    """
    from intermediary.operations.approvals import ApprovalNeeded
    from intermediary.settings.finding import ConfigurationError

    if isinstance(failure, ApprovalNeeded):
        return _tell_what_to_do(failure)
    if isinstance(failure, ConfigurationError):
        for finding in failure.findings:
            for line in finding.lines():
                print(printable(line), file=sys.stderr)
    elif isinstance(failure, Fault):
        code = CATALOGUE[failure.code]
        error(f"{failure.where + ': ' if failure.where else ''}{code.meaning}", hint=code.remedy)
        for befund in failure.findings:
            print(printable(f"intermediary: hint: {befund.path or '/'}: {befund.hint or befund.code}"), file=sys.stderr)
    else:
        text, hint = _told_of_a_job(failure) or _told(failure)
        error(text, hint=hint)
    return USAGE


def complain_about_usage(failure: click.ClickException) -> int:
    """Print a mistake of the command line, or the help of a group of verbs that was called bare; returns its exit code."""
    if isinstance(failure, click.exceptions.NoArgsIsHelpError):
        failure.show()
        return failure.exit_code
    text = failure.format_message()
    text = text[:1].lower() + text[1:].rstrip(".")
    context = getattr(failure, "ctx", None)
    hint = f"{context.command_path} --help" if context is not None else ""
    error(text, hint=f"see {hint}" if hint else "")
    return failure.exit_code


def _tell_what_to_do(needed: ApprovalNeeded) -> int:
    """Nothing went wrong and nothing was done: another person has to say yes first."""
    found = needed.approval
    until = found.expires_at.astimezone().strftime("%d.%m.%Y %H:%M")
    count = found.effect.get("count", 0)
    error(
        f"{found.verb} ({count} {'Gegenstand' if count == 1 else 'Gegenstände'}) braucht eine zweite Person: "
        f"Freigabe {found.id} ist beantragt, es wurde nichts geändert",
        hint=f"eine andere Person: intermediary approvals approve {found.id} --reason …",
    )
    print(f"intermediary: hint: danach, bis {until}: derselbe Befehl mit --approval {found.id}", file=sys.stderr)
    return FINDINGS


def _told(failure: Exception) -> tuple[str, str]:
    from intermediary.operations.approvals import Denied, TooMany
    from intermediary.operations.person import ReasonMissing
    from intermediary.operations.selection import BadSelection
    from intermediary.operations.submit import ChannelUnclear
    from intermediary.store.errors import Ambiguous, Busy, NotFound, NotPossible

    match failure:
        case NotFound():
            return (
                f'no message has the id "{failure}"',
                "find it by the sender's id or a state: intermediary search TEXT",
            )
        case Ambiguous():
            return f'several messages have an id that begins with "{failure}"', "give more of the id"
        case Busy():
            return "a worker holds this message at present", "try again in a moment"
        case NotPossible():
            return str(failure), "see what is possible: intermediary explain ID (of a job: intermediary jobs show ID)"
        case Denied():
            hint = "was verlangt ist: intermediary approvals list --all; wer wer ist: docs/howto/approvals.md"
            return f"abgewiesen: {failure}", hint
        case TooMany():
            return str(failure), "name fewer by conditions such as since= and until=, or make it a job"
        case ReasonMissing():
            return "a change needs a reason, which is written into the audit trail", 'add --reason "…"'
        case BadSelection() | ChannelUnclear():
            return str(failure), ""
        case OSError(filename=str(name)):
            return f"{name}: {failure.strerror}", ""
    return (
        f"unexpected {type(failure).__name__} at {_place(failure)}",
        "this is a defect: report it with kind and place",
    )


def _told_of_a_job(failure: Exception) -> tuple[str, str] | None:
    from intermediary.operations.jobs import JobOpenAlready
    from intermediary.store.errors import JobNotFound, NothingChosen

    match failure:
        case JobNotFound():
            return f'no job, or more than one, has an id that begins with "{failure}"', "intermediary jobs list"
        case JobOpenAlready():
            return _told_of_an_equal(failure.job)
        case NothingChosen():
            return "die Auswahl trifft keine Nachricht", "look first: intermediary list SELECTION"
    return None


def _told_of_an_equal(job: JobRecord) -> tuple[str, str]:
    """The same was ordered already: by a double click, or by somebody else."""
    when = job.created_at.astimezone().strftime("%d.%m.%Y %H:%M:%S")
    told = f"derselbe Auftrag wurde am {when} von {job.actor} erteilt ({job.state.value}): {job.id}"
    if job.is_open:
        return told, f"see how far it is: intermediary jobs show {job.id[:8]}"
    return told, f"absichtlich noch einmal: --again; sein Bericht: intermediary jobs show {job.id[:8]}"


def _place(failure: Exception) -> str:
    """The innermost frame, as file and line."""
    frame = failure.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return f"{frame.tb_frame.f_code.co_filename.rsplit('/', 2)[-1]}:{frame.tb_lineno}" if frame is not None else "?"


def error(text: str, *, hint: str = "") -> None:
    """One error line and, if there is one, its hint on a line of its own."""
    print(f"intermediary: error: {printable(text)}", file=sys.stderr)
    if hint:
        print(f"intermediary: hint: {printable(hint)}", file=sys.stderr)


def printable(text: str) -> str:
    """Text for a terminal: control and direction characters are shown as escapes, never sent (threat T17)."""
    return "".join(c if c.isprintable() and c not in _DIRECTIONS else c.encode("unicode_escape").decode() for c in text)


_DIRECTIONS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")
