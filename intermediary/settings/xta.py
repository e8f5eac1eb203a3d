"""Settings of XTA 2: where a service is, who we are there, and how a Quittung is labelled."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from intermediary.settings.kinds import ConfiguredPath, NameText, Several
from intermediary.settings.table import Table


def _https(value: str) -> str:
    host = value.partition("://")[2].partition("/")[0]
    if not value.startswith("https://") or not host or "@" in host or not value.isascii() or not value.isprintable():
        raise ValueError("an address of XTA is `https://host[:port]/path`, without an account in it")
    return value


HttpsUrl = Annotated[str, Strict(), AfterValidator(_https)]
Words = Annotated[str, Strict(), Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class XtaAddress(Table):
    """One address of an XTA service; each may lie on another host, with other authorities."""

    url: HttpsUrl = Field(description="Address of the endpoint, `https://…`. Redirects are not followed.")
    ca_file: ConfiguredPath | None = Field(
        default=None, description="CA (PEM) of the endpoint's TLS certificate, in place of the system's."
    )


class XtaAccount(Table):
    """An account at the service, and the post box that belongs to it."""

    mandant: NameText = Field(description="Whose messages lie in this box; one of `mandanten`.")
    identifier: Words = Field(description="Identifier of the account as the service knows it, for example a DVDV key.")
    identifier_type: Words = Field(default="xoev", description="Type of the identifier.")
    tls_cert: ConfiguredPath = Field(
        description="Client certificate of the account with its chain (PEM); a renewed file is noticed."
    )
    tls_key: ConfiguredPath = Field(description="Its key (PEM, without passphrase, mode 0600).")


class XtaFetchDoor(Table):
    """Post boxes at an XTA 2.1.1 service, one for each account; docs/reference/xta-fetch.md."""

    msgbox: XtaAddress = Field(description="The service's port for post boxes.")
    management: XtaAddress | None = Field(
        default=None, description="Its management port: for `doctor`, and for Quittungen by XTA."
    )
    send: XtaAddress | None = Field(default=None, description="Its port for sending: for Quittungen by XTA.")
    account: Several[XtaAccount] = Field(description="Whose boxes are emptied.")
    poll_seconds: int = Field(
        default=5,
        strict=True,
        ge=1,
        le=3600,
        description="Wait after a visit that brought something; doubles while none does.",
    )
    poll_most_seconds: int = Field(
        default=120, strict=True, ge=1, le=86_400, description="Longest wait between two visits of an empty box."
    )
    threads: int = Field(default=4, strict=True, ge=1, le=32, description="How many boxes are visited at once.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.poll_seconds > self.poll_most_seconds:
            raise ValueError("poll_seconds is longer than poll_most_seconds")
        accounts = [(one.identifier_type, one.identifier) for one in self.account]
        if len(set(accounts)) < len(accounts):
            raise ValueError("an account stands there more than once: its box would be emptied twice")
        return self

    @property
    def addresses(self) -> dict[str, XtaAddress]:
        """The endpoints that are configured, by the name of their table."""
        named = {"management": self.management, "send": self.send, "msgbox": self.msgbox}
        return {name: address for name, address in named.items() if address is not None}


class XtaAnswer(Table):
    """The transport order in which a Quittung travels: agree on it with whoever gets it (docs/reference/xta-fetch.md)."""

    service: Words = Field(description="URI of the service under which the author takes Quittungen.")
    scenario: Words = Field(default="Quittung", description="BusinessScenario, as free text.")
    code: Words = Field(default="quittung", description="Code of the MessageType.")
    list_uri: Words = Field(
        default="urn:intermediary:codeliste:nachrichtentyp", description="Code list of the MessageType."
    )
    list_version: Words = Field(default="1", description="Version of that list.")
    payload_schema: Words = Field(
        default="urn:intermediary:quittung:1", description="What the content follows: docs/reference/quittung.md."
    )
