"""An OSCI endpoint in a process of its own, to be measured: `python -m bench.endpoint CONFIG`; says its port on stdout."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from intermediary.daemon.logs import configure_logging
from intermediary.keys.spool import Spool
from intermediary.wiring import Configuration, door_rules, open_installation, spool_folder, utc_now
from intermediary.wiring.passive import open_passive

MANY = 1_000_000_000


def main(config: Path) -> None:
    """Serve the first endpoint of the configuration until stdin ends; nobody is slowed down for failing."""
    configure_logging("warning")
    installation = open_installation(config)
    channel = next(one for one in installation.settings.channel if one.osci_passive is not None)
    assert channel.osci_passive is not None
    door = open_passive(
        channel.osci_passive,
        door_rules(channel),
        installation,
        Configuration(installation.settings),
        spool=Spool(spool_folder(installation.settings)),
        now=utc_now,
        failures_per_hour=MANY,
    )
    serving = threading.Thread(target=door.run)
    serving.start()
    pause = threading.Event()
    while door.port is None and serving.is_alive():
        pause.wait(0.01)
    print(door.port, flush=True)
    sys.stdin.read()
    door.stop()
    serving.join()
    installation.store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
