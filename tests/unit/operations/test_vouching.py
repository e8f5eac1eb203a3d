"""What `lint` says about keyrings and partners."""

from __future__ import annotations

from intermediary.operations.vouching import lint_vouching
from intermediary.settings.finding import Finding
from tests.unit.operations.conftest import MAIN, Place


def found(place: Place, main: str = MAIN) -> list[Finding]:
    return list(lint_vouching(place.settings(main)))


def test_nothing_to_complain_about(place: Place) -> None:
    """A partner that a channel names is in the directory."""
    assert found(place) == []


def test_an_unknown_partner(place: Place) -> None:
    """A Behoerdenkennung that nobody lists is an error with the nearest one, wherever the settings name it."""
    main = MAIN.replace("ags:05513000", "ags:05513001")
    fetch = main.replace(
        'answer = { type = "folder", folder = "quittungen" }',
        'answer = { type = "osci", partner = "dbs:1", reader = "dbs:2" }',
    )

    [one] = found(place, main)
    assert (one.path, one.hint, one.is_blocking) == ("channel[ablage].partner", 'did you mean "ags:05513000"?', True)
    assert [one.path for one in found(place, fetch)] == [
        "channel[ablage].partner",
        "channel[ablage].answer.partner",
        "channel[ablage].answer.reader",
    ]


def test_a_partner_who_is_called_needs_an_address(place: Place) -> None:
    """Without address or certificate nothing can be fetched from it: an error before anything is started."""
    answer = 'answer = { type = "osci", partner = "ags:05513000", reader = "ags:05513000" }'
    main = MAIN.replace('answer = { type = "folder", folder = "quittungen" }', answer)

    [one] = found(place, main)
    assert (one.path, one.is_blocking) == ("channel[ablage].answer.partner", True)
    assert one.what == 'partner "ags:05513000" is to be called and has no endpoint and no cipher'


def test_a_broken_directory(place: Place) -> None:
    """All its mistakes are errors at their dotted places, and nothing else is guessed from it."""
    place.write("partners.toml", '[[partner]]\nkennung = "x"\ncolour = 1\n')

    assert {(one.file.name, one.path) for one in found(place)} == {
        ("partners.toml", "partner[1].kennung"),
        ("partners.toml", "partner[1].name"),
        ("partners.toml", "partner[1].colour"),
    }
    assert all(one.is_blocking for one in found(place))


def test_an_exception_for_nobody(place: Place) -> None:
    """An exception that no certificate and no channel can bring into force is a warning."""
    other = '[[partner]]\nkennung = "dbs:1"\nname = "x"\npolicy = "strict"\n'
    place.write("partners.toml", '[[partner]]\nkennung = "ags:05513000"\nname = "x"\npolicy = "strict"\n' + other)

    assert [(one.path, one.is_blocking) for one in found(place)] == [("partner[dbs:1].policy", False)]


def test_legacy_for_everybody(place: Place) -> None:
    """A keyring that accepts old cryptography without an end is a warning, and CBC without a signature over it another."""
    trust = '[[trust]]\npem = "ca.pem"\n'
    place.write("keyring.toml", f'policy = "legacy"\n{trust}')
    assert [(one.path, one.is_blocking) for one in found(place)] == [("policy", False), ("require", False)]

    place.write("keyring.toml", f'policy = "legacy"\nrequire = ["transport-signature"]\n{trust}')
    assert [one.path for one in found(place)] == ["policy"]


def test_an_osci_address_that_takes_the_unsigned(place: Place) -> None:
    """Where anybody may deliver unsigned, anybody may take a MessageId first."""
    listening = 'osci_passive = { listen = "127.0.0.1:8443", tls_cert = "a.pem", tls_key = "a.key" }'
    main = MAIN.replace('name = "ablage"\ntype = "folder"', 'name = "ablage"\ntype = "osci_passive"')
    main = main.replace('folder = { inbox = "eingang" }', listening)

    assert [(one.path, one.is_blocking) for one in found(place, main)] == [("require", False)]


def test_a_broken_keyring(place: Place) -> None:
    """A revocation folder that is not there is told with all other mistakes of the keyring."""
    place.write("keyring.toml", 'revocation = "hard"\nrevocation_folder = "fehlt"\ncolour = 1\n')

    assert {one.path for one in found(place)} == {"revocation_folder", "colour"}


def test_signatures_that_nobody_can_give(place: Place) -> None:
    """XTA has no signatures: a keyring or a route that demands them is told before every message is refused."""
    account = "{ mandant = 'musterstadt', identifier = 'x', tls_cert = 'c', tls_key = 'k' }"
    door = f"xta_fetch = {{ msgbox = {{ url = 'https://xta.example/' }}, account = [{account}] }}"
    xta = MAIN.replace('type = "folder"\npartner', 'type = "xta_fetch"\npartner', 1)
    xta = xta.replace('folder = { inbox = "eingang" }', door)
    ring = '[[trust]]\npem = "ca.pem"\npurpose = ["transport", "content"]\n'
    place.write("keyring.toml", f'require = ["content-signature", "transport-signature"]\n{ring}')
    place.write("routes.toml", _SIGNED_ROUTE)
    both = xta + MAIN[MAIN.index("[[channel]]") :].replace('"ablage"', '"ordner"')

    assert ["require", "route[r].require"] == [one.path for one in found(place, xta)]
    assert ["require"] == [one.path for one in found(place, both)]
    place.write("keyring.toml", f'require = ["transport-signature"]\n{ring}')
    assert [] == found(place, both)


_SIGNED_ROUTE = """
[[route]]
name = "r"
mandant = "musterstadt"
mapping = "bewohnerparken@1"
require = ["content-signature", "trusted"]
[[route.target]]
name = "t"
connector = "ordner"
"""
