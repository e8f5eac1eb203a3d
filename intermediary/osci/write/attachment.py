"""A file beside the contents, before it is protected (§10)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from intermediary.osci.write.octets import Octets

_UNFIT_NAME = re.compile(r"[\x00-\x1f\x7f<>\"]")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside the contents. `name` is the refId: any text without controls, quotes and angle brackets.

    `base64` sends the part Base64-coded instead of raw. `data` that is a Content is read when the message is written, up
    to three times (digest of the plaintext, digest of the ciphertext, writing), and must stay the same.
    """

    name: str = field(repr=False)
    media_type: str
    data: Octets = field(repr=False)
    base64: bool = False

    def __post_init__(self) -> None:
        if not self.name or _UNFIT_NAME.search(self.name):
            raise ValueError("an attachment needs a name without controls, quotes and angle brackets")
