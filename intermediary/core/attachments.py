"""What the attachments of a route may be: types, sizes, numbers, archives."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Archives = Literal["refuse", "flat", "opaque"]
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/(\*|[a-z0-9][a-z0-9!#$&^_.+-]*)")


@dataclass(frozen=True, slots=True)
class AttachmentRules:
    """The rules of one route for everything that comes beside the application; a rule left out always holds.

    Wherever a route has rules, an attachment that is not what it is declared as is refused, whatever else they say.
    """

    media_types: tuple[str, ...] = field(
        default=(), metadata={"help": 'allowed media types, "image/*" for all of a kind; without it every type'}
    )
    max_bytes: int | None = field(default=None, metadata={"help": "most bytes of one attachment", "minimum": 1})
    max_count: int | None = field(default=None, metadata={"help": "most attachments of a Nachricht", "minimum": 0})
    max_total_bytes: int | None = field(
        default=None, metadata={"help": "most bytes of all attachments together", "minimum": 1}
    )
    archives: Archives = field(
        default="opaque",
        metadata={
            "help": "refuse: no archives; flat: ZIP files without encryption and without archives inside; opaque: "
            "archives are not looked into"
        },
    )

    def __post_init__(self) -> None:
        for media_type in self.media_types:
            if not _TYPE.fullmatch(media_type):
                raise ValueError('a media type is written in small letters, "application/pdf" or "image/*"')

    def allows(self, media_type: str) -> bool:
        """Whether a media type is among the allowed ones."""
        kind = media_type.partition("/")[0]
        return not self.media_types or media_type in self.media_types or f"{kind}/*" in self.media_types
