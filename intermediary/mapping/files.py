"""What a sender says about a file that travels with an Antrag, made fit for a message."""

from __future__ import annotations

import re

from intermediary.core.values import Part

UNKNOWN_TYPE = "application/octet-stream"
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_NOT_IN_NAMES = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_LONGEST_NAME = 255


def media_type_of(part: Part) -> str:
    """The media type without parameters, in lower case; what is none becomes `application/octet-stream`."""
    given = part.media_type.partition(";")[0].strip().lower()
    return given if _TYPE.fullmatch(given) else UNKNOWN_TYPE


def shown_name(part: Part) -> str:
    """The last part of the path the sender names, without control characters, at most 255 characters: only to be shown."""
    return _NOT_IN_NAMES.sub("", part.name).replace("\\", "/").rpartition("/")[2].strip()[-_LONGEST_NAME:]
