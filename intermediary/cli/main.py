"""The command `intermediary`: a table of verbs, each imported only when it is called.

`--help` must answer in under 300 ms, so nothing heavy is imported here. The table names verbs by module and attribute;
that is also how the verbs of `testing` (demo, mapping test) are reached, which no room may import.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass

import click


@dataclass(frozen=True, slots=True)
class Verb:
    """Where a verb lives and its line in the overview."""

    target: str
    summary: str


VERBS: dict[str, Verb] = {
    "demo": Verb("intermediary.testing.demo:command", "Show the whole path offline: keys, samples, delivery, audit."),
    "run": Verb("intermediary.cli.run:command", "Run the daemon."),
    "lint": Verb("intermediary.cli.configure:lint", "Check the configuration, offline; all findings at once."),
    "doctor": Verb("intermediary.cli.configure:doctor", "Check keys, certificates, schemas, store, broker, targets."),
    "open": Verb("intermediary.cli.open:command", "Open sealed messages offline."),
    "submit": Verb("intermediary.cli.submit:command", "Hand sealed messages to ingress."),
    "list": Verb("intermediary.cli.inspect:list_", "List messages."),
    "show": Verb("intermediary.cli.inspect:show", "Show one message."),
    "explain": Verb(
        "intermediary.cli.inspect:explain", "Explain in German what a message waits for, and who can help."
    ),
    "search": Verb("intermediary.cli.inspect:search", "Find messages by id, sender's id, code or state."),
    "state": Verb("intermediary.cli.inspect:state", "Print the state of every message; for scripts and checkers."),
    "replay": Verb("intermediary.cli.decide:replay", "Move messages on from where the durable facts end."),
    "jobs": Verb("intermediary.cli.jobs:command", "List and control replays of many messages."),
    "decide": Verb("intermediary.cli.decide:decide", "End what waits for a person."),
    "approvals": Verb("intermediary.cli.approvals:command", "List and decide what waits for a second person."),
    "retention": Verb("intermediary.cli.retention:command", "Show what the terms erase, and when; erase what is due."),
    "hold": Verb("intermediary.cli.hold:command", "Keep messages from being erased."),
    "report": Verb("intermediary.cli.report:command", "Make pages of the configuration: the record of processing."),
    "mandant": Verb("intermediary.cli.mandant:command", "Export or delete one Mandant."),
    "incidents": Verb("intermediary.cli.incidents:command", "List what is wrong at present, and who heals it."),
    "targets": Verb("intermediary.cli.targets:command", "Show how targets do; stop one, let it go on."),
    "audit": Verb("intermediary.cli.audit:command", "Verify and export the audit trail."),
    "mapping": Verb("intermediary.cli.mapping:command", "Make, list, test, lint and report mappings."),
    "connector": Verb("intermediary.cli.connector:command", "Make, list and check connectors."),
    "simulate": Verb("intermediary.testing.simulate.command:command", "Start a local stand-in of a partner."),
    "keys": Verb("intermediary.cli.keys:command", "List keys; foresee which messages a missing key costs."),
    "reveal": Verb("intermediary.cli.reveal:command", "Write a message as it was received into a file; audited."),
    "backup": Verb("intermediary.cli.backup:backup", "Back up the installation while the daemon runs."),
    "restore": Verb("intermediary.cli.backup:restore", "Check a backup; restore it into an empty installation."),
    "store": Verb("intermediary.cli.store:command", "Move the store to another engine."),
    "schemas": Verb("intermediary.cli.schemas:command", "List, install and verify standards; make shapes."),
}


class LazyGroup(click.Group):
    """A group that knows its verbs by name and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        module, _, attribute = verb.target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{verb.target} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.summary) for name, verb in VERBS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS:
            from difflib import get_close_matches

            near = get_close_matches(args[0], VERBS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx=ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="xta-osci-intermediary", prog_name="intermediary")
def cli() -> None:
    """Takes sealed EfA applications, opens and checks them, maps them to xÖV and delivers them."""


def main() -> None:
    """Entry point of the console script: the outermost try, exit codes 0 fine, 1 findings or rejected, 2 usage."""
    try:
        sys.exit(cli.main(prog_name="intermediary", standalone_mode=False))
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except BrokenPipeError:  # whoever read our output has seen enough, for example `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except click.ClickException as mistake:
        from intermediary.cli.complain import complain_about_usage

        sys.exit(complain_about_usage(mistake))
    except Exception as failure:
        from intermediary.cli.complain import complain

        sys.exit(complain(failure))
