"""`connector`: what is installed; make one and check it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click

from intermediary.cli.options import json_option, say, say_json, say_setting, say_unusable

if TYPE_CHECKING:
    from intermediary.core.ports import Manifest


_KIT = {
    "new": "intermediary.testing.kit.verbs.new:new",
    "check": "intermediary.testing.kit.verbs.check:check",
}


class _Verbs(click.Group):
    """The verbs of `connector`. Those of the conformance kit live in `testing`, which no room imports; found by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_KIT]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _KIT:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = _KIT[cmd_name].partition(":")
        found = getattr(importlib.import_module(module), attribute)
        if not isinstance(found, click.Command):
            raise TypeError(f"{_KIT[cmd_name]} is not a command")
        return found


@click.group("connector", cls=_Verbs)
def command() -> None:
    """Make, list and check connectors."""


@command.command("list")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@json_option
def list_(names: tuple[str, ...], as_json: bool) -> None:
    """List installed connectors with what they offer against double delivery and their limits; of NAMES the settings."""
    from intermediary.cli.quiet import quiet_logs
    from intermediary.connect.settings import Isolated, settings_of
    from intermediary.core.faults import Misconfigured
    from intermediary.core.tables import did_you_mean
    from intermediary.wiring.plugins import connectors

    quiet_logs("critical")  # what cannot be used is said below
    installed = connectors()
    for name in names:
        if name not in installed.names():
            raise click.UsageError(f"no connector is called {name}; {did_you_mean(name, installed.names())}")
    for name in names or installed.names():
        try:
            factory = installed.get(name)
            settings = settings_of(factory)
        except (Misconfigured, TypeError) as flaw:
            say_unusable(name, flaw, as_json=as_json)
            continue
        manifest = factory.manifest
        if as_json:
            say_json({"name": name, "idempotency": manifest.idempotency.value, "summary": manifest.summary,
                      "steps": list(manifest.steps), "maxDocumentBytes": manifest.max_document_bytes,
                      "concurrency": manifest.concurrency, "isolated": isinstance(factory, Isolated),
                      "settings": [setting.key for setting in settings]})  # fmt: skip
            continue
        say(f"{name}  ({manifest.idempotency.value})  {manifest.summary}")
        say(f"    {_limits(manifest)}{', runs in a process of its own' if isinstance(factory, Isolated) else ''}")
        for setting in settings if names else ():
            say_setting(setting.key, setting.help)
    if not names and not as_json:
        say("their settings: intermediary connector list NAME")


def _limits(manifest: Manifest) -> str:
    most = manifest.max_document_bytes
    parts = [
        f"{manifest.concurrency} at a time",
        f"documents up to {most} bytes" if most else "documents of any length",
    ]
    return ", ".join([*parts, *([f"steps {' → '.join(manifest.steps)}"] if manifest.steps else [])])
