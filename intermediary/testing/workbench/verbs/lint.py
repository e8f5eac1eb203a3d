"""`mapping lint`: is the mapping a pure function; read from its code, and seen in two runs."""

from __future__ import annotations

import sys

import click

from intermediary.cli.complain import FINDINGS
from intermediary.cli.options import json_option, say, say_json
from intermediary.testing.workbench.lint.repeat import repeated
from intermediary.testing.workbench.lint.static import impurities
from intermediary.testing.workbench.verbs.options import chosen


@click.command("lint")
@click.argument("names", nargs=-1)
@click.option("--no-runs", is_flag=True, help="Only read the code; do not run the golden cases.")
@json_option
def lint(names: tuple[str, ...], no_runs: bool, as_json: bool) -> None:
    """Prove that NAMES (or all installed mappings) are pure: no clock, network, files, chance, environment or memory.

    Reads the code of the mapping's own package and all it imports there; then runs its golden cases in two processes
    that differ in time zone, hash seed and folder, and watches what they touch. Exit code 1 with findings.
    """
    worst = 0
    for place in chosen(names):
        try:
            found, read = impurities(place.root, place.module)
        except SyntaxError as broken:
            raise click.UsageError(f"{broken.filename}:{broken.lineno}: {broken.msg}") from None
        seen, cases = ((), 0) if no_runs else repeated(place)
        worst = max(worst, FINDINGS if found or seen else 0)
        if as_json:
            say_json(
                {
                    "name": place.name,
                    "modules": read,
                    "findings": [
                        {"file": o.file, "line": o.line, "kind": o.kind, "what": o.what, "do": o.instead} for o in found
                    ],
                    "cases": cases,
                    "seen": list(seen),
                }
            )
            continue
        for one in found:
            say(f"{one.file}:{one.line}: {one.what}")
            say(f"    stattdessen: {one.instead}")
        for text in seen:
            say(text)
        runs = "" if no_runs else f", {cases} {'Fall' if cases == 1 else 'Fälle'} in zwei Läufen verglichen"
        verdict = "rein" if not found and not seen else f"{len(found) + len(seen)} Befunde"
        say(f"{place.name}: {verdict} ({read} Module gelesen{runs})")
    sys.exit(worst)
