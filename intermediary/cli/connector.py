"""`connector`: what is installed."""

from __future__ import annotations

import click

from intermediary.cli.options import json_option, say, say_json, say_setting, say_unusable


@click.group("connector")
def command() -> None:
    """List connectors."""


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List installed connectors with what they offer against double delivery, and their settings."""
    from intermediary.cli.quiet import quiet_logs
    from intermediary.connect.settings import settings_of
    from intermediary.core.faults import Misconfigured
    from intermediary.wiring.plugins import connectors

    quiet_logs("critical")  # what cannot be used is said below
    installed = connectors()
    for name in installed.names():
        try:
            factory = installed.get(name)
            settings = settings_of(factory)
        except (Misconfigured, TypeError) as flaw:
            say_unusable(name, flaw, as_json=as_json)
            continue
        manifest = factory.manifest
        if as_json:
            say_json({"name": name, "idempotency": manifest.idempotency.value, "summary": manifest.summary,
                      "settings": [setting.key for setting in settings]})  # fmt: skip
            continue
        say(f"{name}  ({manifest.idempotency.value})  {manifest.summary}")
        for setting in settings:
            say_setting(setting.key, setting.help)
