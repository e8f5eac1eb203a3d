"""What the key property of a document says: whose it is, which of how many, and what its content must amount to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.cmis.answer import Found

_TEXT = re.compile(
    r"(?P<key>[A-Za-z0-9-]{1,64})/(?P<number>[0-9]{1,5})/(?P<total>[0-9]{1,5})/(?P<length>[0-9]{1,18})/(?P<sha256>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Label:
    """`KEY/NUMBER/TOTAL/LENGTH/SHA-256`, written when the document is made and never changed.

    With it, and without any memory of our own, a document tells that it is ours, whether its content is complete, and
    whether its Zustellung is.
    """

    key: str
    number: int
    total: int
    length: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.key}/{self.number}/{self.total}/{self.length}/{self.sha256}"

    @classmethod
    def of(cls, found: Found, property_id: str) -> Label | None:
        """The label of an object, None where there is none of ours."""
        text = _TEXT.fullmatch(found.text(property_id))
        if text is None:
            return None
        return cls(text["key"], int(text["number"]), int(text["total"]), int(text["length"]), text["sha256"])

    def is_met(self, found: Found) -> bool:
        """Whether an object has the whole content, as far as its server tells, and nothing is under way.

        One without a length has no content yet: CMIS demands it of every content (2.1.4.3.3).
        """
        is_whole = (found.length or 0) == self.length and found.sha256 in ("", self.sha256)
        return is_whole and not found.flag("cmis:isVersionSeriesCheckedOut")
