"""What the settings of every endpoint say that may stand behind a proxy: where it listens, and what it shows."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from intermediary.settings.kinds import AddressText, ConfiguredPath, host_of, port_of
from intermediary.settings.table import Table


class ListeningDoor(Table):
    """An HTTPS endpoint; plain HTTP only where nobody else can listen in."""

    listen: AddressText = Field(description="Address to listen on, `host:port`.")
    tls_cert: ConfiguredPath | None = Field(
        default=None, description="Certificate of the endpoint with its chain (PEM); a renewed file is noticed."
    )
    tls_key: ConfiguredPath | None = Field(
        default=None, description="Its key (PEM, without passphrase, mode 0600). Without both: plain HTTP."
    )
    client_ca: ConfiguredPath | None = Field(
        default=None, description="CA (PEM) whose certificates a client must show; without it any client may connect."
    )
    behind_proxy: bool = Field(
        default=False,
        strict=True,
        description="Without TLS only the loopback interface is listened on, unless a proxy ends TLS on a path you trust.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.tls_cert is None) is not (self.tls_key is None):
            raise ValueError("`tls_cert` and `tls_key` go together")
        if self.tls_cert is None and self.client_ca is not None:
            raise ValueError("`client_ca` needs `tls_cert` and `tls_key`")
        if self.tls_cert is None and not self.behind_proxy and self.host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError(
                "without TLS only the loopback interface is listened on: set `tls_cert`, or `behind_proxy`"
            )
        return self

    @property
    def host(self) -> str:
        """The host of `listen`, without brackets."""
        return host_of(self.listen)

    @property
    def port(self) -> int:
        """The port of `listen`."""
        return port_of(self.listen)


class Callbacks(ListeningDoor):
    """Where targets tell their verdicts by themselves (docs/reference/callbacks.md)."""

    listen: AddressText = Field(
        description="Address to listen on, `host:port`. Paths: `/callbacks/<mandant>/<route>/<target>[/<key>]`."
    )
