"""Lint: the files and folders that a configuration names."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from intermediary.keys.ring import Keyring
from intermediary.keys.wrap import KekFiles, MandantKeys
from intermediary.operations import check
from intermediary.settings import Severity, lint

EXAMPLES = (
    "intermediary.toml",
    "intermediary-amqp.toml",
    "intermediary-osci.toml",
    "intermediary-postgresql.toml",
    "intermediary-xta.toml",
)


def _told(file: Path) -> list[tuple[str, str, Severity]]:
    return [(finding.path, finding.what, finding.severity) for finding in lint(file)]


def test_a_whole_installation_has_no_finding(installation: Path) -> None:
    """Nothing is said about a configuration that is right."""
    assert [] == _told(installation)


def test_a_missing_key_is_a_missing_secret(installation: Path) -> None:
    """A secret that is not there is told apart from a mistake: somebody has to bring it."""
    key = installation.parent / "secrets/musterstadt.kek"
    key.unlink()

    assert [("mandant[musterstadt].kek_file", f"there is no file {key}", Severity.MISSING_SECRET)] == _told(
        installation
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_open_is_refused(installation: Path, mode: int) -> None:
    """A secret is for its owner alone."""
    key = installation.parent / "secrets/musterstadt.kek"
    key.chmod(mode)

    assert [("mandant[musterstadt].kek_file", f"{key} is open to others (mode 0{mode:o})", Severity.ERROR)] == _told(
        installation
    )


def test_an_empty_passphrase_file_is_found_in_the_keyring(installation: Path) -> None:
    """The files that a keyring names are looked at too, under the keyring's own name."""
    secret = installation.parent / "secrets/a.pass"
    secret.write_text("")

    findings = lint(installation)

    assert [(installation.parent / "keyring.toml", "key[1].password_file", f"{secret} is empty")] == [
        (finding.file, finding.path, finding.what) for finding in findings
    ]


def test_every_missing_file_is_told(installation: Path) -> None:
    """Routes, keyring and keys are all looked for in one run."""
    for name in ("routes.toml", "keyring.toml", "secrets/musterstadt.kek"):
        (installation.parent / name).unlink()

    assert ["installation.routes", "mandant[musterstadt].kek_file", "mandant[musterstadt].keyring"] == [
        path for path, _, _ in _told(installation)
    ]


def test_findings_of_the_file_itself_come_first(installation: Path, minimal: str) -> None:
    """A file that cannot become settings is complained about without looking any further."""
    installation.write_text(minimal.replace('data = "data"\n', ""), encoding="utf-8")

    assert ["installation.data"] == [path for path, _, _ in _told(installation)]


def test_a_mandant_without_a_door_is_a_warning(installation: Path, minimal: str) -> None:
    """A warning is said, and does not keep an installation from starting."""
    other = '[[mandant]]\nname = "nebenan"\nkek_file = "secrets/a.pass"\nkeyring = "keyring.toml"\n'
    installation.write_text(minimal.replace("[[mandant]]", other + "[[mandant]]", 1), encoding="utf-8")

    findings = lint(installation)

    assert [("mandant[nebenan]", False)] == [(finding.path, finding.is_blocking) for finding in findings]


_QUEUE = 'type = "amqp"\nmax_bytes = 134217729\namqp = {{ url_file = "secrets/a.pass", queue = "q"{claims} }}\n'


@pytest.mark.parametrize(
    ("claims", "told"), [("", ["channel[ablage].max_bytes"]), (', claims.a = { folder = "c" }', [])]
)
def test_a_limit_that_no_broker_carries_needs_claims(
    installation: Path, minimal: str, claims: str, told: list[str]
) -> None:
    """More than RabbitMQ takes in one message only comes by claim: without a claim store that is a warning."""
    (installation.parent / "c").mkdir()
    door = 'type = "folder"\nmandanten = ["musterstadt"]\nfolder = { inbox = "eingang" }\n'
    queue = 'mandanten = ["musterstadt"]\n' + _QUEUE.format(claims=claims)
    installation.write_text(minimal.replace(door, queue), encoding="utf-8")

    assert told == [path for path, _, _ in _told(installation)]


def test_data_open_to_everybody_is_a_warning(installation: Path) -> None:
    """The data folder belongs to the daemon alone."""
    data = installation.parent / "data"
    data.mkdir()
    data.chmod(0o755)

    assert [("installation.data", Severity.WARNING)] == [(path, severity) for path, _, severity in _told(installation)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_lints(project: Path, tmp_path: Path, name: str) -> None:
    """A committed example has no finding once its secrets are made, and only what its script makes is missing before."""
    example = tmp_path / "config" / "example"
    shutil.copytree(project / "config/example", example, ignore=shutil.ignore_patterns("secrets", "state"))
    file = example / name

    told = [(path, what, severity) for path, what, severity in _told(file) if not path.endswith(".client_ca")]
    assert {Severity.MISSING_SECRET} == {severity for _, _, severity in told}

    subprocess.run([example / "make-example.sh"], check=True)

    assert [] == _told(file)


def test_the_example_starts_where_it_was_copied(project: Path, tmp_path: Path) -> None:
    """The script makes every folder the example names, closed to others and inside the copied folder; twice is once.

    Only that no standard is installed is left to be told.
    """
    example = tmp_path / "outer" / "example"
    shutil.copytree(project / "config/example", example, ignore=shutil.ignore_patterns("secrets", "state"))
    told = [
        subprocess.run([example / "make-example.sh"], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    ]

    found = [finding for name in EXAMPLES for finding in check.lint(example / name)]
    what = "output of Mandant musterstadt is delivered unchecked: xdomea 3.1.0 is not installed"
    assert {(Severity.WARNING, what)} == {(one.severity, one.what) for one in found}
    assert [example] == list((tmp_path / "outer").iterdir())
    folders = [path for path in (example / "state").rglob("*") if path.is_dir()]
    assert {0o700} == {path.stat().st_mode & 0o777 for path in folders}
    assert str(example / "state/eingang/musterstadt") in told[0]
    assert "" == told[1]


def test_the_keyrings_of_the_example_open(project: Path, tmp_path: Path) -> None:
    """The example's keyrings are what the room `keys` reads, and the secrets script makes keys that open."""
    example = tmp_path / "example"
    shutil.copytree(project / "config/example", example, ignore=shutil.ignore_patterns("secrets", "state"))
    subprocess.run([example / "make-example.sh"], check=True)

    for mandant in ("musterstadt", "beispielhausen"):
        assert 1 == len(Keyring.load(example / f"keyring-{mandant}.toml").certificates())
        assert MandantKeys({mandant: KekFiles(current=example / f"secrets/{mandant}.kek")}).mandanten()


def test_partners_are_a_file_that_is_there(installation: Path, minimal: str) -> None:
    """A directory that is missing, and a channel that names a partner without any directory, are findings."""
    named = minimal.replace('routes = "routes.toml"', 'routes = "routes.toml"\npartners = "partners.toml"')
    installation.write_text(named, encoding="utf-8")

    assert [finding.path for finding in lint(installation)] == ["installation.partners"]

    installation.write_text(minimal.replace('type = "folder"\nm', 'type = "folder"\npartner = "ags:05513000"\nm'))

    assert [finding.path for finding in lint(installation)] == ["channel[ablage].partner"]


def test_a_partner_is_a_behoerdenkennung(installation: Path, minimal: str) -> None:
    """Anything but a Behoerdenkennung is refused where it stands."""
    installation.write_text(minimal.replace('type = "folder"\nm', 'type = "folder"\npartner = "ags:5513"\nm'))

    assert [finding.path for finding in lint(installation)] == ["channel[ablage].partner"]
