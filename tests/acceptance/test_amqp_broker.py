"""The private broker that other tests rely on."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from intermediary.testing.servers import PrivateRabbit

_OWNER = """
import signal
from intermediary.testing.servers import PrivateRabbit
with PrivateRabbit() as rabbit:
    print(rabbit.pid, flush=True)
    signal.pause()
"""


def test_a_killed_run_leaves_no_broker(rabbit: PrivateRabbit, project: Path) -> None:
    """SIGKILL to the process that owns a broker ends the broker too, and only that one."""
    owner = subprocess.Popen([sys.executable, "-c", _OWNER], stdout=subprocess.PIPE, text=True, cwd=project)
    assert owner.stdout is not None
    pid = owner.stdout.readline().strip()
    broker = os.pidfd_open(int(pid))
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    ended, _, _ = select.select([broker], [], [], 20)
    os.close(broker)

    assert [broker] == ended
    assert rabbit.is_running
    assert str(rabbit.pid) != pid
