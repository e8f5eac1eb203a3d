"""Settings of the virus scan."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, Strict

from intermediary.settings.kinds import Count, address_of
from intermediary.settings.table import Table


def _clamd(value: str) -> str:
    kind, _colon, rest = value.partition(":")
    if kind == "unix" and rest.startswith("/") and len(rest.encode()) <= 107 and "\0" not in rest:
        return value
    if kind == "tcp" and rest.startswith("//"):
        address_of(rest[2:])
        return value
    raise ValueError("clamd is `unix:/path/of/the/socket` or `tcp://host:port`")


ClamdText = Annotated[str, Strict(), AfterValidator(_clamd)]


class Scan(Table):
    """The virus scan: every part of a submission is sent to clamd before it is judged (docs/howto/virus-scan.md)."""

    clamd: ClamdText = Field(
        description="Where clamd listens: `unix:/run/clamav/clamd.ctl` or `tcp://host:port`. TCP is not encrypted."
    )
    connect_seconds: Count = Field(default=5, description="How long a connection may take.")
    answer_seconds: Count = Field(
        default=120, description="How long clamd may say nothing, while it is sent a file and afterwards."
    )
    max_bytes: Count = Field(
        default=100_000_000,
        description="Largest file that clamd scans as it is configured: the least of its StreamMaxLength, MaxFileSize and "
        "MaxScanSize. A Nachricht with a larger one waits (`scan.limit`).",
    )
