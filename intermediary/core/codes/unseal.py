"""Codes of unseal."""

from intermediary.core.codes.code import Code

CODES: tuple[Code, ...] = ()
