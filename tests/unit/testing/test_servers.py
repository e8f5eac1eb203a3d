"""Private servers, as far as they can be tried without starting one."""

from __future__ import annotations

from pathlib import Path

from intermediary.testing.servers import free_ports


def test_ports_of_servers_are_not_those_of_connections() -> None:
    """A killed server finds its port free again, however often its clients have asked for it meanwhile."""
    least, _most = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split())

    ports = free_ports(200)

    assert 200 == len(set(ports))
    assert max(ports) < least
