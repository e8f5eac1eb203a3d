"""`keys`: every key with its end and its place, and what a missing one costs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from intermediary.cli.complain import FINDINGS, complain
from intermediary.cli.options import (
    config_option,
    installation,
    json_option,
    progress,
    say,
    say_json,
    table,
    wrapped,
)

if TYPE_CHECKING:
    from intermediary.operations.forecast import Forecast, Loss, Waiting
    from intermediary.operations.keys import OwnKey

_USES = {"decrypt": "öffnet", "sign": "signiert", "kek": "KEK"}
_NAME, _ALGORITHM = 36, 10
_INDENT = " " * 12
_SHORT = 16
"""Digits of a fingerprint in a line for people; `keys forecast --without` takes them."""


@click.group("keys")
def command() -> None:
    """List keys, and foresee what a missing one costs."""


@command.command("list")
@click.option("--quick", is_flag=True, help="Only the keys: do not look which messages need them.")
@config_option
@json_option
def list_(quick: bool, config: Path, as_json: bool) -> None:
    """Show every key of every Mandant; keys on tokens are used once. Exit code 1 when one cannot be used."""
    from intermediary.operations.forecast import needed_by
    from intermediary.operations.keys import as_json as as_json_
    from intermediary.wiring import utc_now

    keys, found = _look(config, is_quick=quick)
    now = utc_now()
    mandant = ""
    for key in keys:
        needed = None if found is None or key.use != "decrypt" else needed_by(key, keys, found)
        if as_json:
            say_json(as_json_(key, now, needed))
            continue
        if key.mandant != mandant:
            say(key.mandant if not mandant else f"\n{key.mandant}")
            mandant = key.mandant
        for line in _lines(key, now, needed):
            say(line)
    sys.exit(FINDINGS if any(key.trouble for key in keys) else 0)


@command.command("forecast")
@click.option("--without", multiple=True, metavar="KEY", help="A key that goes: its file or fingerprint; repeatable.")
@click.option("--at", "moment", metavar="DATE", help="Keys go whose certificates end before this day (2026-12-31).")
@config_option
@json_option
def forecast(without: tuple[str, ...], moment: str | None, config: Path, as_json: bool) -> None:
    """Tell which waiting messages no longer open if a key goes; for each key, or for those named by KEY or DATE.

    Exit code 1 when a message is lost that way, or cannot be opened already today.
    """
    from intermediary.operations.forecast import UnknownKey
    from intermediary.operations.forecast import forecast as forecast_

    at = _moment(moment)
    keys, found = _look(config)
    if found is None:
        sys.exit(FINDINGS)
    try:
        seen = forecast_(found, keys, without=without, at=at)
    except UnknownKey as unknown:
        raise click.UsageError(str(unknown)) from None
    if without or at is not None:
        _say_losses(seen, as_json=as_json)
    else:
        _say_each(seen, keys, as_json=as_json)
    sys.exit(FINDINGS if seen.losses else 0)


def _look(config: Path, *, is_quick: bool = False) -> tuple[list[OwnKey], list[Waiting] | None]:
    """All keys, and what waits; None instead where nobody looked or the store does not open, which is complained of."""
    from intermediary.cli.quiet import quiet_logs
    from intermediary.core.faults import Fault
    from intermediary.keys.spool import Spool
    from intermediary.operations.forecast import count_waiting, find_waiting
    from intermediary.operations.keys import own_keys
    from intermediary.settings.load import load
    from intermediary.wiring import look_into_installation, spool_folder

    quiet_logs()
    settings = load(config)
    keys = list(own_keys(settings))
    if is_quick:
        return keys, None
    try:
        if look_into_installation(settings) is None:
            return keys, []
        with installation(config) as opened:
            found = find_waiting(opened.store, keys, Spool(spool_folder(settings)))
            watched = progress(found, label="Wartende Nachrichten", length=count_waiting(opened.store), is_silent=True)
            return keys, list(watched)
    except Fault as fault:
        complain(fault)
        return keys, None


def _lines(key: OwnKey, now: datetime, needed: list[str] | None) -> Iterator[str]:
    """A key in a few lines: what and until when; whose; what needs it, or what is wrong with it."""
    from intermediary.operations.keys import why

    name = f"{key.name} (Token)" if key.is_on_token else key.name
    yield f"  {_USES[key.use]:9} {name:{_NAME}} {key.algorithm:{_ALGORITHM}} {_end(key, now)}".rstrip()
    if key.certificate is not None:
        names = ", ".join(part.rfc4514_string() for part in reversed(key.certificate.subject.rdns))
        yield from wrapped(f"{key.fingerprint[:_SHORT]}: {names}", indent=len(_INDENT))
    if needed is not None and key.trouble is None:
        yield f"{_INDENT}gebraucht von {_waiting(len(needed))}"
    if key.trouble is not None:
        yield from wrapped(f"NICHT NUTZBAR: {why(key.trouble)} ({key.trouble.code})", indent=len(_INDENT))


def _end(key: OwnKey, now: datetime) -> str:
    days = key.days_left(now)
    if key.not_after is None or days is None:
        return ""
    left = "ABGELAUFEN" if days < 0 else "1 Tag" if days == 1 else f"{days} Tage"
    return f"bis {key.not_after.astimezone():%d.%m.%Y} ({left})"


def _waiting(count: int) -> str:
    return f"{count} wartenden Nachrichten" if count > 1 else f"{'einer' if count else 'keiner'} wartenden Nachricht"


def _messages(count: int) -> str:
    return f"{count} Nachricht{'' if count == 1 else 'en'}"


def _say_each(seen: Forecast, keys: Sequence[OwnKey], *, as_json: bool) -> None:
    """For each key what its loss alone would cost, and what cannot be opened as it is."""
    from intermediary.operations.forecast import loss_as_json, needed_by

    cells = []
    for key in keys:
        if key.use != "decrypt":
            continue
        needed = needed_by(key, keys, seen.waiting)
        end = key.not_after
        if as_json:
            say_json({"mandant": key.mandant, "name": key.name, "fingerprint": key.fingerprint,
                      "notAfter": None if end is None else end.isoformat(), "lost": needed})  # fmt: skip
        day = "" if end is None else f"{end.astimezone():%d.%m.%Y}"
        cells.append((key.mandant, key.name, key.fingerprint[:_SHORT], day, str(len(needed))))
    if as_json:
        for loss in seen.losses:
            say_json(loss_as_json(loss))
        return
    say(_headline(seen))
    say()
    table(cells, ("Mandant", "Schlüssel", "Fingerabdruck", "gültig bis", "ohne ihn verloren"),
          gives=("Mandant", "Schlüssel"))  # fmt: skip
    if seen.losses:
        say()
        say("Schon heute nicht zu öffnen:")
        _say_table(seen.losses)


def _say_losses(seen: Forecast, *, as_json: bool) -> None:
    """What is lost without the keys that go."""
    from intermediary.operations.forecast import loss_as_json

    if as_json:
        for loss in seen.losses:
            say_json(loss_as_json(loss))
        return
    say(_headline(seen))
    if not seen.gone:
        say("Es fällt kein Schlüssel weg.")
    for key in seen.gone:
        say(f"Ohne {key.name} ({key.mandant}, {key.fingerprint[:_SHORT]})")
    say()
    for is_today, text in ((False, "Nicht mehr zu öffnen"), (True, "Schon heute nicht zu öffnen")):
        losses = [loss for loss in seen.losses if loss.is_lost_today is is_today]
        if losses or not is_today:
            say(f"{text}: {_messages(len(losses)) if losses else 'keine Nachricht'}")
            _say_table(losses)


def _headline(seen: Forecast) -> str:
    unknown = f", davon {len(seen.unknown)} nicht einzuschätzen" if seen.unknown else ""
    count = len(seen.waiting)
    return f"{_messages(count) if count else 'Keine Nachricht'} {'wartet' if count <= 1 else 'warten'}{unknown}."


def _say_table(losses: Sequence[Loss]) -> None:
    from intermediary.cli.sheet import moment

    if losses:
        say()
        table([_cells(loss, moment(loss.waiting.line["receivedAt"])[:-3]) for loss in losses],
              ("Id", "Stand", "Code", "Eingang", "Mandant", "es fehlt"), gives=("Mandant", "es fehlt"))  # fmt: skip
        say()


def _cells(loss: Loss, received: str) -> tuple[str, ...]:
    line = loss.waiting.line
    missing = ", ".join(key.name for key in loss.keys)
    return loss.waiting.id[:13], line["state"], line["code"] or "-", received, loss.waiting.mandant, missing or "-"


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"not a date: {text}; write for example 2026-12-31") from None
    return moment if moment.tzinfo else moment.astimezone()
