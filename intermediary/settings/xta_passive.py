"""The settings of an XTA server of ours."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from intermediary.settings.kinds import AddressText, ConfiguredPath, NameText
from intermediary.settings.table import Table


class XtaPassiveDoor(Table):
    """An XTA server (2.1.1) that portals send to and readers fetch from; docs/reference/xta-passive.md."""

    listen: AddressText = Field(
        description="Address to listen on, `host:port`. Paths: `/xta/management`, `/xta/send`, `/xta/msgbox`."
    )
    tls_cert: ConfiguredPath = Field(
        description="Certificate of the endpoint with its chain (PEM); a renewed file is noticed."
    )
    tls_key: ConfiguredPath = Field(description="Its key (PEM, without passphrase, mode 0600).")
    client_ca: ConfiguredPath = Field(
        description="CAs (PEM) of client certificates; each certificate must also be listed with a `[partner.account]`."
    )
    readers: dict[str, NameText] = Field(
        default_factory=dict,
        description="The Mandant of each reader (Kennung) that may be written to. Without it the one Mandant of the channel "
        "gets everything.",
    )
    sync_services: tuple[str, ...] = Field(
        default=(),
        description="Services (URI) that tell the judgement in their answer (`sendMessageSync`); all others only take.",
    )
    judged_seconds: int = Field(
        default=10,
        strict=True,
        ge=0,
        le=300,
        description="How long an answer waits for the judgement, so that a refusal is told at once; 0: not at all.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.sync_services and not self.judged_seconds:
            raise ValueError("`sync_services` need a judgement: `judged_seconds` is at least 1")
        return self

    @property
    def host(self) -> str:
        """The host of `listen`, without brackets."""
        return self.listen.rpartition(":")[0].removeprefix("[").removesuffix("]")

    @property
    def port(self) -> int:
        """The port of `listen`."""
        return int(self.listen.rpartition(":")[2])
