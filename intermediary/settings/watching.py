"""Settings of health, incidents and alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from intermediary.settings.kinds import AddressText, ConfiguredPath, Count, MailText, host_of, port_of
from intermediary.settings.table import Table


class Health(Table):
    """Where `/healthz`, `/readyz` and `/metrics` are answered (docs/howto/monitoring.md): plain HTTP, without content."""

    listen: AddressText | None = Field(
        default=None,
        description="Address to listen on, such as `127.0.0.1:9464`. Without it nothing is answered. Another address than "
        "the loopback interface lets everybody read who reaches it: keep it within the network of your monitoring.",
    )
    sample_seconds: Count = Field(
        default=15, description="How often the store is measured; between, the same figures are given."
    )

    @property
    def host(self) -> str:
        """The host of `listen`, without brackets."""
        return host_of(self.listen or "")

    @property
    def port(self) -> int:
        """The port of `listen`."""
        return port_of(self.listen or "")


class Incidents(Table):
    """When failures that are alike become an incident, and when it is over. What is parked is one at once."""

    look_seconds: Count = Field(default=10, description="How often it is looked for trouble.")
    operator_seconds: Count = Field(
        default=60, description="What waits for the operator is an incident after so many seconds."
    )
    transient_seconds: Count = Field(
        default=900, description="What time should heal (a target that is away) is an incident after so many seconds."
    )
    quiet_seconds: Count = Field(
        default=300,
        description="An incident is over when nothing of it was seen for so long; before, nobody is told twice.",
    )
    unsealed_seconds: Count = Field(
        default=120, description="Events that are so long without a signed head are an incident."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.quiet_seconds < 2 * self.look_seconds:
            raise ValueError("`quiet_seconds` is at least twice `look_seconds`")
        return self

    @property
    def quiet(self) -> timedelta:
        """`quiet_seconds` as a duration."""
        return timedelta(seconds=self.quiet_seconds)


class Alerts(Table):
    """Who is told when an incident begins and when it ends; the log is always told (`incident.opened`, `incident.ended`)."""

    webhook_url_file: ConfiguredPath | None = Field(
        default=None,
        description="File with the URL (http:// or https://) that gets a POST with JSON; 2xx is an answer.",
    )
    webhook_ca_file: ConfiguredPath | None = Field(
        default=None, description="CA (PEM) of that address; without it those of the system."
    )
    mail_server: AddressText | None = Field(default=None, description="Mail relay, `host:port`.")
    mail_tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the relay is spoken to; `none` only on a path you trust."
    )
    mail_ca_file: ConfiguredPath | None = Field(
        default=None, description="CA (PEM) of the relay; without it those of the system."
    )
    mail_from: MailText | None = Field(default=None, description="Sender of the mails.")
    mail_to: tuple[MailText, ...] = Field(default=(), description="Who gets them.")
    mail_user: str | None = Field(default=None, strict=True, description="Account at the relay, if it wants one.")
    mail_password_file: ConfiguredPath | None = Field(default=None, description="File with its password.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.mail_server is not None and (self.mail_from is None or not self.mail_to):
            raise ValueError("`mail_server` needs `mail_from` and `mail_to`")
        if self.mail_server is None and (self.mail_from is not None or self.mail_to):
            raise ValueError("`mail_from` and `mail_to` need `mail_server`")
        if (self.mail_user is None) is not (self.mail_password_file is None):
            raise ValueError("`mail_user` and `mail_password_file` go together")
        if self.mail_user is not None and self.mail_tls == "none":
            raise ValueError("a password goes over TLS only: set `mail_tls`")
        return self
