"""What the reference library sends to an intermediary is read, and what it carries can be passed on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intermediary.keys import private
from intermediary.keys.ring import Keyring
from intermediary.testing.simulate.osci.carried import carried
from intermediary.testing.simulate.osci.reading import Reader, Unreadable, structure_of
from intermediary.unseal import mime
from intermediary.unseal.policy import profile
from tests.vectors.cases import PASSWORD

_REQUESTS = (
    "InitDialog",
    "ExitDialog",
    "GetMessageId",
    "StoreDelivery",
    "FetchDelivery",
    "FetchProcessCard",
    "ForwardDelivery",
    "MediateDelivery",
    "PartialStoreDelivery",
    "PartialFetchDelivery",
)
_AT = datetime(2026, 11, 21, tzinfo=UTC)


def test_requests_of_the_reference_library_are_read(shared: Path) -> None:
    """Every positive vector that is a request to an intermediary; packages come out as the bytes they came in."""
    folder = shared / "vectors" / "osci"
    own = private.from_p12(folder / "keys" / "intermediary-cipher.p12", PASSWORD, "intermediary-cipher")
    reader = Reader(Keyring([own], policy="legacy"), profile("legacy"))
    seen = []
    for sidecar in sorted((folder / "positive").glob("*.expected.json")):
        expected = json.loads(sidecar.read_bytes())
        if expected["messageType"] not in _REQUESTS:
            continue
        request = reader.read((folder / "positive" / expected["file"]).read_bytes(), _AT)
        seen.append(request.kind)

        assert (expected["messageType"], "") == (request.kind, request.refusal)
        assert expected["transport"]["encrypted"] == bool(request.ciphers)

        package = carried(request.plain).package
        body = mime.read(request.plain).root.data
        if structure_of(request.plain).package is not None and b"<osci:ContentPackage></osci" not in body:
            assert package is not None
            assert package.xml().encode() in body

    assert set(_REQUESTS) == set(seen)
    assert len(seen) >= 24


@pytest.mark.parametrize("name", ["negative/neg-tsig-removed", "positive/accept-02-all-plain"])
def test_what_a_passive_recipient_gets_is_no_request(shared: Path, name: str) -> None:
    """AcceptDelivery comes from intermediaries, never to them."""
    reader = Reader(Keyring(policy="legacy"), profile("legacy"))
    with pytest.raises(Unreadable) as refused:
        reader.read((shared / "vectors" / "osci" / f"{name}.osci").read_bytes(), _AT)

    assert "9300" == refused.value.code
