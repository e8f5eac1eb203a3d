"""Calls a passive recipient over HTTP."""

from __future__ import annotations

import httpx2

from intermediary.testing.simulate.osci.forwarding import Unreachable

_SECONDS = 60.0


def post(uri: str, body: bytes) -> bytes:
    """Posts a message and gives the answer's body; Unreachable without one. Follows no redirect.

    The certificate of an HTTPS recipient is not verified: a stand-in calls throw-away servers, and what it sends is
    sealed anyway.
    """
    try:
        answer = httpx2.post(uri, content=body, headers={"content-type": "text/xml"}, timeout=_SECONDS, verify=False)
    except (httpx2.HTTPError, httpx2.InvalidURL) as failure:
        raise Unreachable from failure
    if answer.status_code != httpx2.codes.OK:
        raise Unreachable
    return answer.content
