"""`lint` and `doctor`: is the configuration sound, and does everything it names answer?"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import click

from intermediary.cli.complain import FINDINGS, USAGE, printable
from intermediary.cli.options import account, config_option, installation, json_option, reason_option, say, say_json

_MARKS = {"ok": "ok     ", "warning": "WARNING", "bad": "BAD    "}


@click.command("lint")
@config_option
@json_option
def lint(config: Path, as_json: bool) -> None:
    """Check the configuration, offline; all findings at once. Exit code 0: sound, 2: not sound."""
    from intermediary.cli.quiet import quiet_logs
    from intermediary.operations.check import lint as lint_
    from intermediary.operations.diagnosis import counted

    quiet_logs("critical")  # what it says of itself is in the findings
    findings = lint_(config)
    for finding in findings:
        if as_json:
            say_json({"file": str(finding.file), "path": finding.path, "what": finding.what, "hint": finding.hint,
                      "severity": finding.severity.value})  # fmt: skip
        else:
            for line in finding.lines():
                print(printable(line), file=sys.stderr)
    errors = sum(finding.is_error for finding in findings)
    if not as_json:
        say(f"{config}: {counted(errors, 'finding') if errors else 'sound'}")
    sys.exit(USAGE if errors else 0)


@click.command("doctor")
@click.option("--quick", is_flag=True, help="Only whether the store opens; for health checks of a container.")
@click.option("--accept-clock", is_flag=True, help="After a jump of the clock: the time is right now, go on. Audited.")
@reason_option
@config_option
@json_option
def doctor(quick: bool, accept_clock: bool, reason: str, config: Path, as_json: bool) -> None:
    """Look at keys, certificates, store, clock, disks, schemas, ways back and targets. Exit code 1 when something is bad."""
    from intermediary.cli.quiet import quiet_logs
    from intermediary.operations.check import doctor as doctor_
    from intermediary.wiring import open_installation, utc_now

    if accept_clock:
        _accept_clock(config, reason)
        return
    quiet_logs()
    if quick:
        open_installation(config, begins=False).store.close()
        sys.exit(0)
    bad = 0
    for diagnosis in doctor_(config, utc_now()):
        bad += diagnosis.verdict == "bad"
        if as_json:
            say_json({"subject": diagnosis.subject, "verdict": diagnosis.verdict, "what": diagnosis.what,
                      "hint": diagnosis.hint})  # fmt: skip
        else:
            say(f"{_MARKS[diagnosis.verdict]}  {diagnosis.subject}: {diagnosis.what}")
            if diagnosis.hint and diagnosis.verdict != "ok":
                say(f"         {diagnosis.hint}")
    sys.exit(FINDINGS if bad else 0)


def _accept_clock(config: Path, reason: str) -> None:
    from intermediary.operations.clock import accept_clock
    from intermediary.operations.person import Request

    request = Request(actor=account(), reason=reason)
    with installation(config) as opened:
        accepted = accept_clock(opened, request)
        if accepted is None:
            say("Die Uhr ist glaubwürdig, es gibt nichts zu bestätigen.")
            return
        way = "weitergestellt" if accepted.shift > timedelta(0) else "zurückgestellt"
        say(f"Die Zeit ist um {abs(accepted.shift)} {way}; {accepted.moved} offene Nachrichten behalten ihre Fristen.")
        say("Laufende Dienste gehen in wenigen Sekunden von selbst weiter.")
