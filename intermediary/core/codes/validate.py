"""Codes of validate."""

from intermediary.core.codes.code import Code

CODES: tuple[Code, ...] = ()
