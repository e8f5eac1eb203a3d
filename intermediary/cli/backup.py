"""`backup` and `restore`: a copy of one moment beside the running daemon, and the way back."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from intermediary.cli.options import (
    account,
    config_option,
    installation,
    json_option,
    progress,
    reason_option,
    requested,
    say,
    say_json,
    say_wrapped,
)

_FOLDER = click.Path(file_okay=False, path_type=Path)
_F = TypeVar("_F", bound=Callable[..., Any])
_KEYS = "Folder of the data keys, if not `keys` in the folder of backups."


def _tidies_up(verb: _F) -> _F:
    """Told to end (SIGTERM, a closed terminal), the verb removes what it has begun: it holds data keys."""

    @wraps(verb)
    def told(*arguments: Any, **named: Any) -> Any:
        numbers = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is signal.SIG_DFL]
        for number in numbers:
            signal.signal(number, _end)
        try:
            return verb(*arguments, **named)
        finally:
            for number in numbers:
                signal.signal(number, signal.SIG_DFL)

    return cast(_F, told)


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)


@click.command("backup")
@click.option("-o", "--output", required=True, type=_FOLDER, help="Folder of backups, the same each time.")
@click.option("--keys", type=_FOLDER, help=_KEYS)
@click.option(
    "--keep-days", default=14, show_default=True, type=click.IntRange(1), help="Remove older backups after this one."
)
@config_option
@json_option
@_tidies_up
def backup(output: Path, keys: Path | None, keep_days: int, config: Path, as_json: bool) -> None:
    """Back up the installation while the daemon runs: database, payloads, data keys apart, configuration.

    Only payloads that are new are copied. Neither KEKs nor private keys are in it, nor the key of the audit trail: keep
    them elsewhere. Data keys are removed after 14 days, so that what was erased is gone from backups too.
    """
    from intermediary.operations.backup import make_backup
    from intermediary.operations.vault import Vault

    output = output.absolute()
    vault = Vault(output, keys.absolute() if keys else output / "keys")
    with installation(config, needs_keys=True) as opened:
        made = make_backup(
            opened, vault, keep=timedelta(days=keep_days), actor=account(), watch=_watched, now=opened.now()
        )
    written = made.written
    if as_json:
        say_json(
            {
                "run": made.run,
                "folder": str(made.folder),
                "keys": str(made.keys),
                "nachrichten": written.nachrichten,
                "payloads": written.payloads,
                "copied": made.copied,
                "copiedBytes": made.copied_bytes,
                "gone": made.gone,
                "pruned": made.pruned,
                "auditSize": written.head.size if written.head else 0,
                "manifestSha256": made.manifest_sha256,
            }
        )
        return
    say(f"Sicherung {made.run} in {made.folder}")
    say(f"  {written.nachrichten} Nachrichten, {written.payloads} Nutzdaten ({made.copied} neu kopiert)")
    say(f"  Datenschlüssel, 14 Tage aufzuheben und getrennt zu halten: {made.keys}")
    say("Nicht enthalten, getrennt zu sichern: KEKs, private Schlüssel, audit.key (docs/howto/backup.md).")
    apart = f" --keys {vault.keys}" if keys else ""
    say(f"Prüfen: intermediary restore {made.folder}{apart} -c {config} --check")


@click.command("restore")
@click.argument("place", metavar="BACKUP", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Change nothing: is it whole, does it open, what is lost.")
@click.option("--keys", type=_FOLDER, help=_KEYS)
@click.option(
    "--audit-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of the key that signs the audit trail, to be put into the data folder.",
)
@click.option(
    "--new-audit-key", is_flag=True, help="That key is lost: sign with another one (audit verify will say so)."
)
@click.option(
    "--doubt-hours",
    default=24,
    show_default=True,
    type=click.IntRange(0),
    help="So long what comes in new may be a repetition: targets are asked first.",
)
@reason_option
@config_option
@json_option
@_tidies_up
def restore(
    place: Path,
    only_check: bool,
    keys: Path | None,
    audit_key: Path | None,
    new_audit_key: bool,
    doubt_hours: int,
    reason: str,
    config: Path,
    as_json: bool,
) -> None:
    """Restore an installation into an empty data folder and database; stop the daemon first.

    BACKUP is the folder of one backup, or of all: then the newest. With --check nothing is changed; exit code 1 when it
    cannot be restored.
    """
    from intermediary.cli.quiet import quiet_logs
    from intermediary.operations.restore import How, check_backup
    from intermediary.operations.restore import restore as restore_
    from intermediary.operations.vault import vault_of
    from intermediary.wiring import utc_now

    quiet_logs()
    vault, run = vault_of(place, keys.absolute() if keys else None)
    if only_check:
        checked = check_backup(config, vault, run, watch=_watched)
        _say_checked(checked, run, as_json=as_json)
        sys.exit(0 if checked.is_usable else 1)
    request = requested(reason)
    how = How(audit_key=audit_key, new_audit_key=new_audit_key, doubt=timedelta(hours=doubt_hours))
    done = restore_(config, vault, run, request, how, watch=_watched, now=utc_now())
    if as_json:
        say_json({**_json(done.checked, run), "payloads": done.payloads, "auditIsOk": done.audit.is_ok})
    else:
        from intermediary.operations.prove import as_text

        say(
            f"Wiederhergestellt aus {run}: {done.checked.manifest['nachrichten']} Nachrichten, {done.payloads} Nutzdaten"
        )
        say_wrapped(_gap(done.checked, until=done.doubt_until), indent=2)
        say(as_text(done.audit))
    sys.exit(0 if done.audit.is_ok else 1)


def _say_checked(checked: Any, run: str, *, as_json: bool) -> None:
    if as_json:
        say_json(_json(checked, run))
        return
    say(f"Sicherung {run}")
    marks = {"ok": "ok     ", "warning": "ACHTUNG", "bad": "FEHLER "}
    for finding in checked.findings:
        say_wrapped([f"{marks[finding.verdict]} {finding.text}"], indent=2)
    say_wrapped(_gap(checked, until=None), indent=2)
    say("Brauchbar." if checked.is_usable else "NICHT brauchbar: mit dieser Sicherung beginnt keine Wiederherstellung.")


def _gap(checked: Any, *, until: datetime | None) -> list[str]:
    """What is lost, and what nobody knows."""
    loss, doubtful = checked.loss, checked.doubtful
    made = datetime.fromisoformat(checked.manifest["made_at"])
    lines = [f"Stand der Sicherung: {_local(made)}, {loss.size} Ereignisse unter signierten Köpfen."]
    if loss.lost_to > loss.size:
        last = datetime.strptime(loss.lost_until, "%Y-%m-%dT%H:%M:%S.%f%z")
        lines.append(
            f"VERLOREN: die Ereignisse {loss.size + 1} bis {loss.lost_to}, zuletzt vom {_local(last)} (bewiesen durch "
            "die Köpfe am zweiten Ort)."
        )
    else:
        lines.append("Der zweite Ort kennt keinen jüngeren Kopf: unter einem Kopf ist nichts verloren.")
    if doubtful is not None:
        unclear, parked, unjudged = doubtful.unclear, doubtful.parked, doubtful.unjudged
        asked = "das Ziel wird gefragt; wo es das nicht kann, entscheidet eine Person"
        lines += [
            f"Fraglich: {unclear} Zustellungen ({asked}),",
            f"  {parked} geparkte (erst beim Ziel nachsehen), {unjudged} noch nicht beurteilte Nachrichten,",
            f"  {doubtful.answering} Quittungen (gehen noch einmal hinaus).",
        ]
    if until is not None:
        lines.append(
            f"Was bis {_local(until)} neu eingeht, wird ebenso behandelt: es kann schon einmal da gewesen sein."
        )
    return lines


def _json(checked: Any, run: str) -> dict[str, Any]:
    loss, doubtful = checked.loss, checked.doubtful
    counts = (
        {name: getattr(doubtful, name) for name in ("unclear", "parked", "unjudged", "answering")} if doubtful else {}
    )
    return {
        "run": run,
        "usable": checked.is_usable,
        "findings": [{"verdict": one.verdict, "text": one.text} for one in checked.findings],
        "madeAt": checked.manifest["made_at"],
        "auditSize": loss.size,
        "lostTo": loss.lost_to,
        "lostUntil": loss.lost_until,
        "doubtful": counts,
    }


def _watched(rows: Any, label: str, length: int) -> Any:
    return progress(rows, label=label, length=length or None, is_silent=True)


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%d.%m.%Y %H:%M:%S")
