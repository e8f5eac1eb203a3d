"""The committed selection of OSCI vectors: runs without any shared material."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vectors import cases as c

FOLDER = Path(__file__).parent / "osci"
POSITIVE = [*c.cases(FOLDER, "positive"), *c.cases(FOLDER, "variants")]
ACCEPTED = [case for case in POSITIVE if case.sidecar["expected"]["outcome"] == "accept"]
NOT_ACCEPTED = [case for case in POSITIVE if case not in ACCEPTED]


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_accepted(case: c.Case) -> None:
    """A good message is opened, and contents, attachments, signatures and trust are those of its sidecar."""
    c.accepted(case)


@pytest.mark.parametrize("case", NOT_ACCEPTED, ids=lambda case: case.name)
def test_known_but_rejected(case: c.Case) -> None:
    """A SOAP fault or a message for strangers is refused, and what was established before is told."""
    c.known_but_rejected(case)


@pytest.mark.parametrize("case", c.cases(FOLDER, "negative"), ids=lambda case: case.name)
def test_rejected(case: c.Case) -> None:
    """A manipulated message is refused for its own defect, with an OSCI code its sidecar allows."""
    c.rejected(case)


@pytest.mark.parametrize(
    "names",
    [
        ("neg-rsa15-garbage", "neg-rsa15-wrong-key"),
        ("neg-transport-cbc-padding-invalid", "neg-transport-cbc-bitflip-middle"),
        ("neg-content-cbc-bitflip", "neg-content-gcm-flip"),
    ],
)
def test_one_failure(names: tuple[str, ...]) -> None:
    """What failed in decryption cannot be told from the refusal: equal text, place and OSCI code (rule R3)."""
    refusals = [c.refused(c.Case("negative", name, FOLDER)) for name in names]

    assert len({(str(refusal), refusal.where, refusal.osci_code) for refusal in refusals}) == 1
    assert {refusal.__cause__.__cause__ for refusal in refusals if refusal.__cause__} == {None}


LEGACY_ONLY = ("accept-03-legacy-3des-rsa15", "accept-19-weak-sha1", "negbase-rsa15-plain-transport", "store-02-legacy")


@pytest.mark.parametrize("name", LEGACY_ONLY)
@pytest.mark.parametrize("policy", ["strict", "osci"])
def test_old_algorithms_need_legacy(name: str, policy: str) -> None:
    """3DES, CBC, RSA-1.5 and SHA-1 are refused by name outside the legacy profile, before any key is used."""
    with pytest.raises(c.NotOpened) as refusal:
        c.open_case(c.Case("positive", name, FOLDER), policy=policy)

    assert refusal.value.code == "policy.algorithm"


def test_another_readers_old_algorithm_is_not_ours() -> None:
    """How a content key was wrapped for somebody else does not decide about our own, sound one."""
    opened = c.open_case(c.Case("positive", "accept-12-two-readers-mixed", FOLDER), policy="osci")

    assert len(opened.contents) == 1


def test_strict_takes_pss() -> None:
    """The strict profile opens a message that uses nothing but its column."""
    opened = c.open_case(c.Case("positive", "accept-07-pss256", FOLDER), policy="strict")

    assert [fact.valid for fact in opened.signatures] == [True, True]
    assert opened.policy == "strict@1"


def test_unsupported_transform_is_undetermined() -> None:
    """A signature with a stylesheet is neither intact nor broken, never valid, and nothing is executed (digest §11)."""
    opened = c.open_case(c.Case("positive", "accept-21-xslt-transform", FOLDER))
    fact = next(fact for fact in opened.signatures if fact.layer == "content")

    assert (fact.intact, fact.valid, fact.complete) == (None, False, True)


@pytest.mark.parametrize(
    ("role", "name", "is_taken"),
    [
        ("passive", "accept-02-all-plain", True),
        ("passive", "process-01-standard", True),
        ("passive", "dialog-01-initdialog", False),
        ("passive", "fetch-resp-02-none", False),
        ("client", "fetch-resp-02-none", True),
        ("client", "accept-02-all-plain", False),
        ("any", "store-02-legacy", True),
    ],
)
def test_role(role: c.Role, name: str, is_taken: bool) -> None:
    """A passive recipient takes Accept- and ProcessDelivery, a client takes answers; the rest is fault 9300."""
    case = c.Case("positive", name, FOLDER)
    if is_taken:
        assert c.open_case(case, role=role).message_type == case.sidecar["messageType"]
        return
    with pytest.raises(c.NotOpened) as refusal:
        c.open_case(case, role=role)

    assert (refusal.value.code, refusal.value.osci_code) == ("osci.type.unexpected", "9300")


def test_metadata_facts() -> None:
    """The MessageMetaData header becomes flat facts: service, origin, author, reader."""
    facts = c.open_case(c.Case("positive", "process-01-standard", FOLDER)).facts

    assert facts["author"] == "ags:05999000"
    assert facts["reader"] == "ags:05999044"
    assert facts["service"].startswith("urn:example:")
    assert facts["origin"].startswith("2025-03-14T")
