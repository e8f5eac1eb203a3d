"""How far one HTTP exchange came: what decides whether a failure means that nothing was sent."""

from __future__ import annotations


class Overdue(Exception):
    """The time for the whole exchange is over."""


class Sent:
    """Whether anything of the request may have left: the library says when it begins to write."""

    def __init__(self) -> None:
        self.any = False

    def trace(self, event: str) -> None:
        if event.endswith("send_request_headers.started"):
            self.any = True
