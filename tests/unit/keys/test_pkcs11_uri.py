"""PKCS#11 URIs (RFC 7512) as a keyring may hold them."""

from __future__ import annotations

import pytest

from intermediary.keys.pkcs11_uri import BadUri, KeyUri, parse_uri


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pkcs11:token=Musterstadt;object=leser", KeyUri(token="Musterstadt", label="leser")),
        ("PKCS11:token=a;id=%01%fF", KeyUri(token="a", id=b"\1\xff")),
        (
            "pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=02c8;token=M%C3%BCnster;id=%01;object=x;type=private",
            KeyUri("Münster", "02c8", "SoftHSM project", "SoftHSM v2", "x", b"\1"),
        ),
        (
            "pkcs11:serial=1;object=x?module-path=/usr/lib/softhsm/libsofthsm2.so",
            KeyUri(serial="1", label="x", module="/usr/lib/softhsm/libsofthsm2.so"),
        ),
    ],
)
def test_what_is_read(text: str, expected: KeyUri) -> None:
    """Token and key attributes are taken with their percent-escapes undone, as tools of the makers print them."""
    assert expected == parse_uri(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "begins with pkcs11:"),
        ("file:///key", "begins with pkcs11:"),
        ("pkcs11:", "token is not named"),
        ("pkcs11:object=leser", "token is not named"),
        ("pkcs11:token=Musterstadt", "key is not named"),
        ("pkcs11:token=;object=leser", "token is not named"),
        ("pkcs11:token=a;object=b?pin-value=CANARY", "a PIN does not belong in the URI"),
        ("pkcs11:token=a;object=b?pin-source=file:CANARY", "a PIN does not belong in the URI"),
        ("pkcs11:token=a;object=b;pin-value=CANARY", "a PIN does not belong in the URI"),
        ("pkcs11:token=a;object=b;type=public", "only a private key"),
        ("pkcs11:token=a;object=b;slot-id=1", "allowed: token"),
        ("pkcs11:token=a;object=b?module-name=x", "allowed: module-path"),
        ("pkcs11:token=a;token=b;object=c", "token: once"),
        ("pkcs11:token=a;object", "object: once"),
        ("pkcs11:token=a%zz;object=b", "percent-encoded"),
        ("pkcs11:token=%ff;object=b", "UTF-8"),
    ],
)
def test_what_is_refused(text: str, reason: str) -> None:
    """A PIN, an attribute that would not be obeyed, or a key that is not named; the reason quotes no value."""
    with pytest.raises(BadUri) as refusal:
        parse_uri(text)

    assert reason in str(refusal.value)
    assert "CANARY" not in str(refusal.value)
