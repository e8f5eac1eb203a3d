"""Several hosts on one machine: daemons with host name, process ids and spool of their own; one database and data folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from intermediary.testing.demo_site import Site
from tests.acceptance.daemon import Daemon, parent_of

_APART = ("unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")


class HostsMissing(Exception):
    """This account may not make namespaces here."""


def demand_hosts() -> None:
    """Raise `HostsMissing` where processes cannot be put apart from each other."""
    if (
        shutil.which("unshare") is None
        or subprocess.run([*_APART, "true"], capture_output=True, check=False).returncode
    ):
        raise HostsMissing("namespaces cannot be made here: run as root, or with CAP_SYS_ADMIN")


class Host:
    """One of several hosts of an installation: `inbox`, `config`, and a daemon that can be killed like a machine."""

    def __init__(self, site: Site, name: str) -> None:
        self.name = name
        self.inbox = site.folder / f"eingang-{name}"
        self.heads = site.folder / f"heads-{name}"
        self.config = site.folder / f"{name}.toml"
        self._log = site.folder / f"{name}.log"
        for folder in (self.inbox, self.heads):
            folder.mkdir()
        text = site.config.read_text(encoding="utf-8")
        text = text.replace('routes = "', f'spool = "spool-{name}"\nroutes = "', 1)
        text = text.replace('"audit-heads"', f'"heads-{name}"').replace(
            'inbox = "eingang"', f'inbox = "eingang-{name}"'
        )
        self.config.write_text(text.replace('name = "eingang"', f'name = "eingang-{name}"'), encoding="utf-8")
        self.daemon: _Apart | None = None

    def start(self) -> None:
        """Start its daemon."""
        self.daemon = _Apart(self.name, self.config, self._log)

    def kill(self) -> None:
        """Lose the whole host: every process of it at once."""
        assert self.daemon is not None
        self.daemon.kill()

    def stop(self) -> int:
        """Stop its daemon in good order."""
        assert self.daemon is not None
        return self.daemon.stop()


class _Apart(Daemon):
    """A daemon that is process 1 of its own host."""

    def __init__(self, host: str, config: Path, log: Path) -> None:
        within = (*_APART, "sh", "-c", 'hostname "$0" && exec "$@"', host)
        super().__init__(config, log=log, temporary=log.parent, within=within)

    def stop(self) -> int:
        """SIGTERM to the daemon itself, which as process 1 takes no signal before it listens to it."""
        self.wait_for("daemon.started")
        os.kill(self._inner(), signal.SIGTERM)
        return self._process.wait(60)

    def _inner(self) -> int:
        entries = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return next((int(entry.name) for entry in entries if parent_of(entry) == self._process.pid), 0)
