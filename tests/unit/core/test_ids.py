"""Identities."""

from __future__ import annotations

import uuid

import pytest

from intermediary.core.ids import LeikaId, Name, derived_id, nachricht_id, zustellung_key

INSTALLATION = uuid.UUID("0a4c5f0e-6f2f-4b52-9f5e-2b1f6d3c9e11")


def test_a_leika_id_is_valid_or_does_not_exist():
    """Only 14 digits beginning with 99 become a LeikaId."""
    assert LeikaId("99108010001000") == "99108010001000"
    for wrong in ("9910801000100", "98108010001000", "99108010001000\n", "९९108010001000", ""):
        with pytest.raises(ValueError, match="LeikaId"):
            LeikaId(wrong)


@pytest.mark.parametrize("wrong", ["", "A", "../x", "a b", "x" * 64, "-a", "ä"])
def test_names_are_narrow(wrong):
    """A configured name cannot be a path, a blank or anything that needs quoting."""
    with pytest.raises(ValueError, match="name"):
        Name(wrong)


def test_the_same_submission_has_the_same_id():
    """Nachricht ids repeat for equal submissions and differ in every part of the key."""
    one = nachricht_id(INSTALLATION, mandant="a", message_id="1", body_sha256="x")

    assert one == nachricht_id(INSTALLATION, mandant="a", message_id="1", body_sha256="x")
    assert 4 == len(
        {
            one,
            nachricht_id(INSTALLATION, mandant="b", message_id="1", body_sha256="x"),
            nachricht_id(INSTALLATION, mandant="a", message_id="2", body_sha256="x"),
            nachricht_id(INSTALLATION, mandant="a", message_id="1", body_sha256="y"),
        }
    )


def test_a_redelivery_has_a_key_of_its_own():
    """The idempotency key changes with target and redelivery, with nothing else."""
    keys = {
        zustellung_key(INSTALLATION, nachricht_id="n", target=target, redelivery=number)
        for target in ("a", "b")
        for number in (0, 1)
    }

    assert 4 == len(keys)


def test_output_ids_follow_from_key_and_place():
    """An id inside an output is the same in every retry."""
    key = str(uuid.uuid5(INSTALLATION, "n"))

    assert derived_id(key, "/Vorgang") == derived_id(key, "/Vorgang")
    assert derived_id(key, "/Vorgang") != derived_id(key, "/Dokument[1]")
