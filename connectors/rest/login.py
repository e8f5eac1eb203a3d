"""The login of one target: fixed, or a token of OAuth 2 that is kept until it ends or is no longer accepted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote_plus, urlencode

from connectors.rest.settings import OAuth, RestSettings, Signature
from intermediary.connect.api import (
    Body,
    HttpClient,
    HttpRequest,
    Misconfigured,
    Transient,
    Unclear,
    read_secret,
)

_WHERE = "rest: oauth"
_EARLY = timedelta(seconds=30)
_SHORT = timedelta(minutes=5)
_FRESH = timedelta(minutes=5)


class Login:
    """The headers that log a request in. A token is fetched when it is needed, and kept in this process only."""

    def __init__(self, settings: RestSettings) -> None:
        self._auth = settings.auth
        self._oauth = settings.oauth
        self._client = HttpClient(settings.oauth.token_url, settings.http, where=_WHERE) if settings.oauth else None
        self._token = ""
        self._ends = datetime.min.replace(tzinfo=UTC)

    def headers(self, now: datetime) -> Mapping[str, str]:
        """Raises `Transient` while there is no token to be had, `Misconfigured("target.credentials")` if we get none."""
        if self._oauth is None:
            return self._auth.headers(now)
        if not self._token or now >= self._ends:
            self._fetch(self._oauth, now)
        return {"Authorization": f"Bearer {self._token}"}

    def examine(self) -> None:
        """The files of certificates of the token endpoint, where there is one; offline."""
        if self._client is not None:
            self._client.examine()

    def renew(self) -> bool:
        """The token was refused: forget it. False when there is none that could be renewed."""
        had, self._token = bool(self._token), ""
        return had

    def _fetch(self, oauth: OAuth, now: datetime) -> None:
        assert self._client is not None  # noqa: S101 - made with `oauth`
        form = {"grant_type": "client_credentials", **({"scope": oauth.scope} if oauth.scope else {})}
        both = f"{quote_plus(oauth.client_id)}:{quote_plus(_secret(oauth.client_secret_file))}"
        request = HttpRequest(
            "POST",
            headers={
                "Authorization": f"Basic {base64.b64encode(both.encode()).decode()}",
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            body=Body((urlencode(form).encode(),)),
        )
        try:
            answer = self._client.send(request, now=now)
        except Unclear as failure:  # nothing of the Zustellung is underway yet
            raise Transient("target.unreachable", where=failure.where) from failure
        if answer.status in (400, 401, 403):
            raise Misconfigured("target.credentials", where=f"{_WHERE}: HTTP {answer.status}")
        if answer.status != 200:
            raise answer.ask_fault(where=_WHERE)
        self._token, self._ends = _token_of(answer.body, now)


def signed(signature: Signature, body: Body, now: datetime) -> Mapping[str, str]:
    """The headers that sign a body; it is read once for that, and once more when it is sent."""
    stamp = str(int(now.timestamp()))
    return {signature.timestamp_header: stamp, signature.header: _signed(signature, stamp, body.pieces())}


def is_signed(signature: Signature, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether the headers (names in lower case) sign the body, and not long ago: an old callback is not let in again."""
    stamp = headers.get(signature.timestamp_header.lower(), "")
    said = headers.get(signature.header.lower(), "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12 and said.isascii()):
        return False
    is_fresh = abs(now.timestamp() - int(stamp)) <= _FRESH.total_seconds()
    return hmac.compare_digest(_signed(signature, stamp, [body]), said) and is_fresh


def shows_token(token_file: Path, headers: Mapping[str, str]) -> bool:
    """Whether the header `Authorization` shows the token of the file."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return hmac.compare_digest(_secret(token_file).encode(), token.strip().encode()) and scheme.lower() == "bearer"


def _signed(signature: Signature, stamp: str, pieces: Iterable[bytes]) -> str:
    digest = hmac.new(_secret(signature.secret_file).encode(), f"{stamp}.".encode(), hashlib.sha256)
    for piece in pieces:
        digest.update(piece)
    return f"sha256={digest.hexdigest()}"


def _secret(path: Path) -> str:
    """An empty one would log in, or sign, as anybody."""
    text = read_secret(path)
    if not text:
        raise Misconfigured("target.credentials", where=path.name)
    return text


def _is_header(token: str) -> bool:
    return token != "" and token.isascii() and token.isprintable()


def _token_of(body: bytes, now: datetime) -> tuple[str, datetime]:
    try:
        fields = json.loads(body)
        token, kind = fields["access_token"], fields.get("token_type", "bearer")
        seconds = int(fields.get("expires_in", 0))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise Misconfigured("target.credentials", where=f"{_WHERE}: answer") from error
    if not isinstance(token, str) or not _is_header(token) or str(kind).lower() != "bearer":
        raise Misconfigured("target.credentials", where=f"{_WHERE}: answer")
    lives = timedelta(seconds=min(max(seconds, 0), 86400)) - _EARLY if seconds else _SHORT
    return token, now + lives
