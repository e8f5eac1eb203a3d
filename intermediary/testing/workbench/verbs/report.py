"""`mapping report`: the page from which a Fachamt sees what happens to each field of its form."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from intermediary.cli.complain import FINDINGS
from intermediary.cli.options import say
from intermediary.testing.workbench.bench import bench
from intermediary.testing.workbench.report.facts import facts_of
from intermediary.testing.workbench.report.page import page
from intermediary.testing.workbench.report.unused import unused_of
from intermediary.testing.workbench.verbs.options import chosen, schemas_option
from intermediary.xml.parser import parse


@click.command("report")
@click.argument("name")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The HTML file.")
@schemas_option
def report(name: str, output: Path, schemas: Path | None) -> None:
    """Write a page in German about mapping NAME (or a folder): field by field, where it goes and by which rule.

    Made from what the golden cases show; one file, the same for the same mapping. Exit code 1 when cases are not as
    expected (the page says so). With --schemas the outputs are checked and unused parts of the standard are listed.
    """
    shown = bench(chosen((name,))[0], schemas)
    facts = facts_of(shown)
    unused = None
    if schemas is not None:
        outputs = [one.outcome.ausgabe for one in shown.trials if one.outcome is not None and one.outcome.ausgabe]
        roots = {str(parse(one.nachricht).tag): one.standard for one in outputs}
        paths = [goal.path for goal in facts.goals]
        unused = tuple(one for root, standard in roots.items() for one in unused_of(schemas, standard, root, paths))
    output.write_bytes(page(facts, unused, is_official=schemas is not None))
    say(f"{output}: {len(facts.sources)} Felder des Formulars, {len(facts.goals)} Angaben des Ziels")
    sys.exit(FINDINGS if shown.failed else 0)
