"""Writes the reference pages that are generated from code: `python -m intermediary.testing.reference docs/reference`.

`make docs` calls it; a test compares every page with the committed one.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

from intermediary.audit.events import EVENTS, Kind
from intermediary.cli.main import VERBS
from intermediary.core import ports
from intermediary.core.codes import CATALOGUE, Healer
from intermediary.core.runbooks import RUNBOOKS_PAGE, runbook
from intermediary.core.states import (
    FINAL,
    NACHRICHT_TRANSITIONS,
    ZUSTELLUNG_TRANSITIONS,
    NachrichtState,
    ZustellungState,
)
from intermediary.core.steps import Steps
from intermediary.settings.reference import render as settings_page
from intermediary.testing.reference_connectors import page as connectors_page
from intermediary.testing.reference_routes import page as routes_page

_HEALERS = {
    Healer.TIME: "Die Zeit: es wird von selbst wieder versucht",
    Healer.SENDER: "Der Sender: er erhält eine ablehnende Quittung",
    Healer.OPERATOR: "Der Betrieb",
    Healer.TARGET: "Ein Blick auf das Zielsystem",
    Healer.DEVELOPER: "Die Entwicklung",
}

_NACHRICHT = {
    NachrichtState.RECEIVED: (
        "Dauerhaft angenommen, noch nicht fertig beurteilt; läuft oder wartet von selbst.",
        "nein",
    ),
    NachrichtState.PLANNED: (
        "Geprüft, Route und Ziele stehen fest; die Zustellungen laufen, oder eine wartet.",
        "nein",
    ),
    NachrichtState.ANSWERING: ("Das Ergebnis steht fest; die Quittung wird übergeben.", "in Kürze"),
    NachrichtState.COMPLETED: ("Alle verlangten Ziele haben übernommen. Nichts mehr zu tun.", "ja: `accepted`"),
    NachrichtState.REJECTED: ("Abgelehnt, mit Befunden. Der Sender muss neu einreichen.", "ja: `rejected`"),
    NachrichtState.DISCARDED: ("Von einer Person verworfen, mit Begründung im Audit.", "nein"),
    NachrichtState.PARKED: ("Eine Person muss entscheiden: `explain` sagt warum, `decide` beendet es.", "noch nicht"),
}
_ZUSTELLUNG = {
    ZustellungState.DUE: "Steht an; sicher noch nichts beim Ziel. Läuft oder wartet von selbst.",
    ZustellungState.INTENDED: "Wird gerade übergeben; die Absicht ist festgehalten.",
    ZustellungState.DELIVERED: "Das Ziel hat dauerhaft übernommen; der Nachweis steht in `show`. Endgültig.",
    ZustellungState.REFUSED: "Das Ziel hat abgelehnt. Endgültig; war es verlangt, wird abgelehnt oder entschieden.",
    ZustellungState.UNCLEAR: "Ungewiss, ob es angekommen ist; das Ziel wird gefragt, nichts geht doppelt hinaus.",
    ZustellungState.AWAITING: "Übergeben; die Antwort des Ziels steht aus und wird abgeholt.",
    ZustellungState.PARKED: "Eine Person muss beim Ziel nachsehen und mit `decide ID/ZIEL` entscheiden.",
}

_CLI_HEAD = """\
# Command line

Generated from `intermediary/cli/main.py` by `make docs`; `intermediary VERB --help` has the options.
Exit codes: 0 fine, 1 findings or rejected, 2 usage or configuration. JSON stands alone on stdout, logs on stderr.

| command | does |
|---|---|
"""


def pages() -> dict[str, str]:
    """File name and text of every generated page."""
    return {
        "cli.md": cli_page(),
        "codes.md": codes_page(),
        "connectors.md": connectors_page(),
        "events.md": events_page(),
        "ports.md": ports_page(),
        "routes.md": routes_page(),
        "settings.md": settings_page(),
        "states.md": states_page(),
    }


def codes_page() -> str:
    """The catalogue of fault codes, by who can heal them; German, because operators and Fachämter read it."""
    return "".join(_codes())


def _codes() -> Iterator[str]:
    yield "# Codes\n\nErzeugt aus `intermediary/core/codes` mit `make docs`. Ein Code wird nie umbenannt.\n"
    for healer, title in _HEALERS.items():
        found = sorted((code for code in CATALOGUE.values() if code.healer is healer), key=lambda code: code.name)
        if found:
            yield f"\n## {title}\n\n| Code | Bedeutung | Was zu tun ist |\n|---|---|---|\n"
            yield from (f"| {_anchored(code.name)} | {code.meaning} | {code.remedy} |\n" for code in found)


def _anchored(code: str) -> str:
    """A code that links lead to, as `explain` and alerts give them; the runbook, where it has one."""
    page, _, anchor = runbook(code).partition("#")
    name = f'<a id="{code}"></a>`{code}`'
    return f"{name} ([Anleitung](../{page.removeprefix('docs/')}#{anchor}))" if page == RUNBOOKS_PAGE else name


def events_page() -> str:
    """The closed list of audit events with their fields; German, because auditors read it."""
    head = "# Audit-Ereignisse\n\nErzeugt aus `intermediary/audit/events.py` mit `make docs`. Die Liste ist abgeschlossen; "
    head += (
        "das Format steht in [audit-format.md](audit-format.md). Felder in Klammern stehen nur, wo sie zutreffen.\n\n"
    )
    head += "| Ereignis | Bedeutung | Felder |\n|---|---|---|\n"
    rows = (
        f"| `{kind.name}` | {kind.meaning} | {', '.join(_event_fields(kind)) or '–'} |\n" for kind in EVENTS.values()
    )
    return head + "".join(rows)


def _event_fields(kind: Kind) -> Iterator[str]:
    yield from (f"`{name}`" for name in kind.fields)
    yield from (f"(`{name}`)" for name in kind.optional)


def ports_page() -> str:
    """The plug-in ports: every public class of `core/ports.py` with its contract, fields and methods."""
    return (
        "# Ports\n\nGenerated from `intermediary/core/ports.py` by `make docs`. A mapping imports them from "
        "`intermediary.mapping.api`, a connector from `intermediary.connect.api`.\n"
    ) + "".join(line for kind in vars(ports).values() if _is_port(kind) for line in _port(kind))


def _is_port(kind: object) -> bool:
    return isinstance(kind, type) and (kind.__module__ == ports.__name__ or kind is Steps)


def _port(kind: type) -> Iterator[str]:
    yield f"\n## {kind.__name__}\n\n{inspect.getdoc(kind)}\n"
    rows = [f"- `{name}`: `{text}`\n" for name, text in inspect.get_annotations(kind).items() if name[0] != "_"]
    if rows:
        yield "\n" + "".join(rows)
    for name, member in vars(kind).items():
        if inspect.isfunction(member) and not name.startswith("_"):
            text = inspect.getdoc(member) or ""
            yield f"\n`{name}{str(inspect.signature(member)).replace(chr(39), '')}`\n" + (f"\n{text}\n" if text else "")


def states_page() -> str:
    """What every state means to an operator, and both state machines as diagrams."""
    nachricht = "".join(
        f"| `{state}` | {_NACHRICHT[state][0]} | {_NACHRICHT[state][1]} |\n" for state in NachrichtState
    )
    zustellung = "".join(f"| `{state}` | {_ZUSTELLUNG[state]} |\n" for state in ZustellungState)
    return (
        "# States\n\nGenerated from `intermediary/core/states.py` by `make docs`. Meanings in German, as in `explain`.\n"
        "\n## Nachricht\n\n| Stand | Bedeutung | Sender erfährt davon |\n|---|---|---|\n"
        + nachricht
        + "\n"
        + _diagram(NachrichtState, NACHRICHT_TRANSITIONS, start=NachrichtState.RECEIVED, final=FINAL)
        + "\n## Zustellung\n\nDer Sender erfährt nie vom Stand einer einzelnen Zustellung, nur vom Ergebnis.\n"
        + "\n| Stand | Bedeutung |\n|---|---|\n"
        + zustellung
        + "\n"
        + _diagram(ZustellungState, ZUSTELLUNG_TRANSITIONS, start=ZustellungState.DUE, final=())
    )


def _diagram(
    states: type[StrEnum],
    transitions: Iterable[tuple[StrEnum, StrEnum]],
    *,
    start: StrEnum,
    final: Iterable[StrEnum],
) -> str:
    order = list(states)
    arrows = sorted(transitions, key=lambda pair: (order.index(pair[0]), order.index(pair[1])))
    lines = [
        f"[*] --> {start}",
        *(f"{old} --> {new}" for old, new in arrows),
        *(f"{state} --> [*]" for state in order if state in set(final)),
    ]
    return "```mermaid\nstateDiagram-v2\n" + "".join(f"    {line}\n" for line in lines) + "```\n"


def cli_page() -> str:
    """The verbs of the command line."""
    rows = "".join(f"| `intermediary {name}` | {verb.summary} |\n" for name, verb in VERBS.items())
    return _CLI_HEAD + rows


def write(folder: Path) -> None:
    """Write every page into `folder`."""
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
