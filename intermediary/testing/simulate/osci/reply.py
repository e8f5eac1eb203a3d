"""What goes back over the connection, and how the connection ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Reply:
    """The body of an answer; the connection ends `whole`, after half of it (`truncated`), or without it (`dropped`)."""

    body: bytes = field(default=b"", repr=False)
    ending: Literal["whole", "truncated", "dropped"] = "whole"
