"""`intermediary run`: the daemon in the foreground; a service manager keeps it alive."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from intermediary.cli.options import config_option


@click.command("run")
@config_option
@click.option("--role", "roles", default="all", show_default=True, help="ingress, worker or all; several with commas.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Worker processes.")
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1, 16), help="Threads in each of them.")
@click.option("--log-level", default="info", type=click.Choice(["debug", "info", "warning", "error"]))
def command(config: Path, roles: str, workers: int, threads: int, log_level: str) -> None:
    """Run the daemon until SIGTERM: take, open, check, map, deliver, answer, seal the audit trail."""
    from intermediary.daemon.logs import configure_logging, end_logging
    from intermediary.daemon.supervisor import ROLES, Order, Supervisor
    from intermediary.operations.check import demand_sound

    chosen = ROLES if roles == "all" else tuple(role.strip() for role in roles.split(","))
    unknown = [role for role in chosen if role not in ROLES]
    if unknown:
        raise click.UsageError(f"unknown role {unknown[0]!r}; known are {', '.join(ROLES)} and all")
    configure_logging(log_level)
    demand_sound(config)
    code = Supervisor(Order(config=config.resolve(), roles=chosen, workers=workers, threads=threads)).run()
    end_logging()
    sys.exit(code)
