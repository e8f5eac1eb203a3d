"""The verbs `schemas list`, `install` and `verify`."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from intermediary.cli.schemas import command
from tests.unit.validate.samples import PackageMaker, zipped


def _run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, [str(one) for one in arguments])
    return result.exit_code, result.stdout, result.stderr


def test_install_list_and_verify(make_package: PackageMaker, tmp_path: Path) -> None:
    """An accepted package is listed as JSON and verifies."""
    folder = tmp_path / "schemas"
    code, _, _ = _run("install", zipped(make_package()), "--folder", folder, "--accept-new")
    listed = _run("list", "--folder", folder, "--json")

    assert 0 == code
    assert ("antrag@1", "accepted", 2) == tuple(json.loads(listed[1])[key] for key in ("id", "review", "files"))
    assert (0, "1 packages as reviewed\n", "") == _run("verify", "--folder", folder)


def test_an_unknown_package_is_refused_with_a_hint(make_package: PackageMaker, tmp_path: Path) -> None:
    """Exit code 1, and the message says how to accept it."""
    code, out, err = _run("install", make_package(), "--folder", tmp_path / "schemas")

    assert (1, "") == (code, out)
    assert "--accept-new" in err


def test_verify_tells_what_changed(make_package: PackageMaker, tmp_path: Path) -> None:
    """Exit code 1, one line per file."""
    folder = tmp_path / "schemas"
    _run("install", make_package(), "--folder", folder, "--accept-new")
    (folder / "antrag@1" / "files" / "typen.xsd").write_text("<a/>")

    code, out, _ = _run("verify", "--folder", folder, "--json")

    assert 1 == code
    assert "antrag@1/typen.xsd" == json.loads(out)["path"]


def test_the_folder_must_be_named() -> None:
    """Without -c and --folder it is a usage error."""
    assert 2 == _run("verify")[0]


def test_known_packages_are_listed() -> None:
    """The pins of the product can be seen without an installation."""
    code, out, _ = _run("list", "--known", "--json")

    assert 0 == code
    assert {"xdomea@3.1.0", "fim-xfall@xdf3-1.01", "xdatenfelder@3.0.0"} <= {
        json.loads(line)["id"] for line in out.splitlines()
    }
