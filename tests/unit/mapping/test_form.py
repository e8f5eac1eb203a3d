"""One schema element, many spellings: ids and versions are compared in one."""

from __future__ import annotations

import pytest

from intermediary.mapping.form import Identity, identity_of, version_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("F00000043", "F00000000043"),
        ("F00000043V1.0", "F00000000043V1.0.0"),
        ("S05000058V1.0", "S05000000058V1.0.0"),
        ("fim.S99000001.99000001001000", "S99000000001"),
        ("F00-4cb0dd14-629c-4661V1.0", "F00000-4cb0dd14-629c-4661V1.0.0"),
    ],
)
def test_spellings_of_one_element_are_equal(one: str, other: str) -> None:
    """XDatenfelder 2.0, 3.0.0, both XFall shapes and the portal's root mean the same element."""
    assert identity_of(one) == identity_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("F00000043", "G00000043"),
        ("F00000043", "F05000043"),
        ("F00000043V1.0", "F00000043V1.1"),
        ("F00000043", "f00000043"),
        ("Vorname", "VornameV1"),
    ],
)
def test_different_elements_stay_different(one: str, other: str) -> None:
    """Kind, Bundesland, number and version tell elements apart; a name that is no FIM id matches only itself."""
    assert identity_of(one) != identity_of(other)


def test_zeros_behind_a_version_mean_nothing() -> None:
    """1, 1.0 and 1.0.0 are one version; what is no version is none."""
    assert {(1,)} == {version_of(text) for text in ("1", "1.0", "1.0.0")}
    assert (1, 0, 1) == version_of("1.0.1")
    assert () == version_of("1.x")
    assert () == version_of("9" * 10_000)
    assert Identity("Vorname") == identity_of("Vorname")
