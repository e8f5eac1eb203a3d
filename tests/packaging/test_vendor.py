"""A vendor's package: built from its own folder, installed beside ours, found, linted, used, and refused when wrong."""

from __future__ import annotations

import ast
import base64
import json
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from intermediary.osci.write.letter import Attachment, Letter
from intermediary.osci.write.seal import seal
from intermediary.testing.connectors import CHECKS
from intermediary.testing.demo_site import Site, make_site
from intermediary.xml.parser import parse
from tests.acceptance.daemon import PATIENCE_SECONDS, wait_until
from tests.packaging.installing import Environment, Said, build_wheel, run
from tests.packaging.misfits import CLASHING, FLAWS, MISFIT, misfit_routes

SOURCE = Path(__file__).with_name("vendor")
MAPPING = "musterverfahren-hundesteuer@1"
CONNECTOR = "musterverfahren-journal"
OUTPUT = "{urn:example:musterverfahren:schema:1}"
PUBLIC = ("intermediary.core.", "intermediary.mapping.api", "intermediary.connect.api")
JOURNAL = "fachverfahren/journal.jsonl"
GOLDEN = SOURCE / "musterverfahren/hundesteuer/golden/01-anmeldung/input.xml"
ROUTES = """\
[[route]]
name = "hundesteuer"
mandant = "musterstadt"
mapping = "musterverfahren-hundesteuer@1"
require = ["content-signature"]
[route.when]
root = "{urn:example:musterverfahren:eingang:hundesteuer:1}hundesteueranmeldung"
[route.settings]
kassenzeichenkreis = "4711"
[[route.target]]
name = "steueramt"
connector = "musterverfahren-journal"
[route.target.settings]
journal = "fachverfahren/journal.jsonl"
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The vendor's folder in a place of its own, far from this repository."""
    return shutil.copytree(
        SOURCE, tmp_path_factory.mktemp("vendor") / "musterverfahren", ignore=shutil.ignore_patterns("__pycache__")
    )


@pytest.fixture(scope="module")
def vendor(source: Path, environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with our wheel and the vendor's, which demands ours."""
    environment.install(build_wheel(source, tmp_path_factory.mktemp("wheel")))
    return environment


@pytest.fixture(scope="module")
def site(vendor: Environment, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """An installation whose one production route names both plug-ins; the vendor's standard is installed."""
    made = make_site(tmp_path_factory.mktemp("site") / "musterland", now=datetime.now(UTC), settings="")
    (made.folder / "routes.toml").write_text(ROUTES, encoding="utf-8")
    before = vendor.call(vendor.program, "lint", "-c", made.config, folder=made.folder)
    assert (2, 1) == (before.code, before.err.count("musterverfahren 1.0 is not installed")), before
    run(
        vendor.program, "schemas", "install", source / "standard", "--accept-new", "-c", made.config, folder=made.folder
    )
    return made


def test_the_vendor_imports_public_pages_only() -> None:
    """Plug-ins of a vendor need nothing but core, `mapping.api` and `connect.api`."""
    imported = {
        node.module
        for path in (SOURCE / "musterverfahren").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("intermediary")
    }

    assert {"intermediary.mapping.api", "intermediary.connect.api"} <= imported
    assert set() == {name for name in imported if not str(name).startswith(PUBLIC)}


def test_both_plug_ins_are_listed(vendor: Environment, tmp_path: Path) -> None:
    """`mapping list` and `connector list` show them beside ours, with what they read, write and are set by."""
    mappings = vendor.call(vendor.program, "mapping", "list", "--json", folder=tmp_path).rows
    connectors = vendor.call(vendor.program, "connector", "list", "--json", folder=tmp_path).rows

    (mapping,) = (row for row in mappings if row["name"] == MAPPING)
    assert ("musterverfahren 1.0", ["kassenzeichenkreis"]) == (mapping["writes"], list(mapping["settings"]))
    assert "bewohnerparken@1" in {row["name"] for row in mappings}
    (connector,) = (row for row in connectors if row["name"] == CONNECTOR)
    assert ("lookup", ["journal"], True) == (connector["idempotency"], connector["settings"], connector["isolated"])
    assert "ordner" in {row["name"] for row in connectors}


def test_types_reach_the_vendor(vendor: Environment, source: Path) -> None:
    """The vendor checks its code strictly against the installed wheel alone."""
    strict = ("--strict", "--config-file=", "--cache-dir", source / ".mypy", "--python-executable", vendor.python)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *strict, "-p", "musterverfahren"],
        cwd=source, env=vendor.variables, check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert 0 == done.returncode, done.stdout + done.stderr


def test_golden_cases_and_shape_are_the_vendors_own(vendor: Environment, site: Site, source: Path) -> None:
    """The vendor's golden cases pass against its installed standard, from which its shape is made again."""
    schemas = ("--schemas", site.folder / "schemas")
    tested = run(vendor.program, "mapping", "test", MAPPING, *schemas, folder=site.folder)
    shape = run(vendor.program, "mapping", "shape", MAPPING, *schemas, folder=site.folder)

    assert "3 von 3 Fällen wie erwartet (Ausgaben amtlich geprüft)" in tested
    assert (source / "musterverfahren/hundesteuer/shape.toml").read_text(encoding="utf-8") == shape


def test_the_connector_keeps_the_contract(vendor: Environment, source: Path) -> None:
    """The vendor runs the conformance suite of connectors from the wheel: kills at every line, rivals, repetitions."""
    told = run(vendor.python, source / "tests/conformance.py", folder=source)

    checks = [*(check.__name__ for check in CHECKS), "ignores_an_unfinished_line"]
    assert checks == [line.removesuffix(": holds") for line in told.splitlines()]


def test_a_route_that_names_both_is_sound(vendor: Environment, site: Site) -> None:
    """`lint` has nothing to say about a production route with the vendor's plug-ins and standard."""
    assert Said(0, "", "") == vendor.call(vendor.program, "lint", "--json", "-c", site.config, folder=site.folder)


@pytest.mark.parametrize(
    "names",
    [
        {
            "route[hundesteuer].mapping": (MAPPING, "musterverfahren-hundsteuer@1"),
            "route[hundesteuer].target[steueramt].connector": (CONNECTOR, "musterverfahren-jornal"),
        },
        {
            "route[hundesteuer].target[steueramt].settings.jurnal": ("journal", "jurnal"),
            "route[hundesteuer].settings.kassenzeichenkreiss": ("kassenzeichenkreis", "kassenzeichenkreiss"),
        },
    ],
    ids=["plug-ins", "settings"],
)
def test_a_misspelt_name_is_refused(vendor: Environment, site: Site, names: dict[str, tuple[str, str]]) -> None:
    """A plug-in or setting that nobody offers is found where it stands, with the name that was meant."""
    routes = ROUTES
    for right, wrong in names.values():
        routes = routes.replace(f'"{right}"', f'"{wrong}"').replace(f"\n{right} =", f"\n{wrong} =")
    linted = _lint(vendor, site, routes)
    hints = {row["path"]: row["hint"] for row in linted.rows}

    assert 2 == linted.code
    assert {path: f'did you mean "{right}"?' for path, (right, _) in names.items()} == {
        path: hints[path] for path in names
    }


def test_a_missing_version_names_the_installed_one(vendor: Environment, site: Site) -> None:
    """A route that asks for another version of the vendor's mapping is told which one there is."""
    linted = _lint(vendor, site, ROUTES.replace(MAPPING, "musterverfahren-hundesteuer@2"))

    assert (2, [f"installed: {MAPPING}"]) == (linted.code, [row["hint"] for row in linted.rows])


def test_a_name_clash_names_both_owners(vendor: Environment, site: Site, tmp_path: Path) -> None:
    """Two packages with the same names are refused by `lint` and at start, whichever was found first."""
    clash = replace(vendor, beside=CLASHING.install(tmp_path))
    linted = _lint(clash, site, ROUTES)
    started = _start(clash, site, ROUTES)
    hints = {row["path"]: row["hint"] for row in linted.rows}

    assert (2, 2) == (linted.code, started.code)
    assert {
        "route[hundesteuer].mapping": "both musterverfahren (musterverfahren.hundesteuer.mapping:MAPPING)"
        " and nebenverfahren (nebenverfahren:MAPPING) use this name: uninstall one",
        "route[hundesteuer].target[steueramt].connector": "both musterverfahren"
        " (musterverfahren.journal.connector:CONNECTOR) and nebenverfahren (nebenverfahren:CONNECTOR)"
        " use this name: uninstall one",
    } == hints
    assert all(hint in started.err for hint in hints.values())


def test_a_wrong_type_is_refused(vendor: Environment, site: Site, tmp_path: Path) -> None:
    """A class, a missing method, another name, a failing factory: found by `lint`, refused at start, all at once."""
    wrong = replace(vendor, beside=MISFIT.install(tmp_path))
    routes = misfit_routes(MAPPING, 'kassenzeichenkreis = "4711"')
    linted = _lint(wrong, site, routes)
    started = _start(wrong, site, routes)

    assert (2, 2) == (linted.code, started.code)
    assert FLAWS == {row["path"]: row["hint"] for row in linted.rows}
    assert [] == [hint for hint in FLAWS.values() if hint not in started.err]
    assert "content" not in linted.out + started.err


def test_one_bad_package_hides_no_other(vendor: Environment, tmp_path: Path) -> None:
    """The lists say what is wrong with a plug-in that cannot be used, and go on."""
    wrong = replace(vendor, beside=MISFIT.install(tmp_path))
    mappings = {
        row["name"]: row for row in wrong.call(vendor.program, "mapping", "list", "--json", folder=tmp_path).rows
    }
    told = wrong.call(vendor.program, "connector", "list", folder=tmp_path).out

    assert {"name": "ohne-map@1", "unusable": FLAWS["route[ohne-map].mapping"]} == mappings["ohne-map@1"]
    assert "unusable" not in mappings[MAPPING]
    assert f"als-klasse: cannot be used: {FLAWS['route[ziele].target[als-klasse].connector']}\n" in told
    assert f"\n{CONNECTOR}  (lookup)" in told


def test_a_sealed_application_reaches_the_vendors_target(vendor: Environment, site: Site) -> None:
    """Submitted and run by the installed program: one line in the journal; what cannot be accepted is answered with a no."""
    payload = GOLDEN.read_bytes().replace(b"2026-05-03", b"2019-05-03")
    passport = Attachment("impfpass.txt", "text/plain", b"erfunden")
    files = [
        _sealed(site, "gut", payload),
        _sealed(site, "ohne-rufname", payload.replace(b"rufname", b"spitzname")),
        _sealed(site, "mit-anlage", payload, passport),
    ]
    submitted = vendor.call(vendor.program, "submit", "--json", "-c", site.config, *files, folder=site.folder)
    assert ["new"] * 3 == [row["outcome"] for row in submitted.rows], submitted.err
    ids = dict(zip(("gut", "ohne-rufname", "mit-anlage"), (row["id"] for row in submitted.rows), strict=True))

    with _running(vendor, site) as daemon:
        wait_until(lambda: len(_answers(site)) == len(files) or daemon.poll() is not None, "the answers")
        wait_until(lambda: _is_done(vendor, site) or daemon.poll() is not None, "the verdicts")

    states = {row["id"]: row for row in _states(vendor, site)}
    found = {name: states[nachricht_id] for name, nachricht_id in ids.items()}
    (zustellung,) = found["gut"]["zustellungen"]
    assert ("completed", "steueramt", "delivered") == (found["gut"]["state"], zustellung["target"], zustellung["state"])
    assert ("rejected", "validate.input.invalid") == (found["ohne-rufname"]["state"], found["ohne-rufname"]["code"])
    assert ("rejected", "mapping.input.refused") == (found["mit-anlage"]["state"], found["mit-anlage"]["code"])

    (line,) = map(json.loads, (site.folder / JOURNAL).read_text(encoding="ascii").splitlines())
    assert (ids["gut"], zustellung["key"], False) == (line["nachricht"], line["key"], line["test"])
    message = parse(base64.b64decode(line["content"]))
    assert f"4711-{ids['gut'].partition('-')[0]}" == message.findtext(f"{OUTPUT}kassenzeichen")
    assert "Łukasiewicz" == message.findtext(f"{OUTPUT}halter/{OUTPUT}familienname")
    answers = [json.loads(path.read_text(encoding="utf-8")) for path in _answers(site)]
    assert ["accepted", "rejected", "rejected"] == sorted(answer["status"] for answer in answers)


def _lint(environment: Environment, site: Site, routes: str) -> Said:
    """What `lint --json` says to this site with other routes."""
    config = _with_routes(site, routes)
    return environment.call(environment.program, "lint", "--json", "-c", config, folder=site.folder)


def _start(environment: Environment, site: Site, routes: str) -> Said:
    """What `run` says to this site with routes it must refuse."""
    config = _with_routes(site, routes)
    return environment.call(environment.program, "run", "-c", config, folder=site.folder)


def _with_routes(site: Site, routes: str) -> Path:
    (site.folder / "other-routes.toml").write_text(routes, encoding="utf-8")
    text = site.config.read_text(encoding="utf-8").replace('"routes.toml"', '"other-routes.toml"')
    config = site.folder / "other.toml"
    config.write_text(text.replace('"data"', '"other-data"'), encoding="utf-8")
    return config


def _sealed(site: Site, name: str, payload: bytes, *attachments: Attachment) -> Path:
    """What a portal sends, as a file."""
    letter = Letter(message_id=f"urn:osci:beispiel:{name}", contents=(payload,), attachments=attachments)
    file = site.folder / f"{name}.osci"
    file.write_bytes(seal(letter, parties=site.pki.parties, random=secrets.token_bytes, now=datetime.now(UTC)))
    return file


def _answers(site: Site) -> list[Path]:
    return list(site.answers.glob("*.json"))


def _states(environment: Environment, site: Site) -> list[dict[str, Any]]:
    said = environment.call(environment.program, "state", "--all", "--json", "-c", site.config, folder=site.folder)
    assert 0 == said.code, said.err
    return said.rows


def _is_done(environment: Environment, site: Site) -> bool:
    return {"completed", "rejected"} >= {row["state"] for row in _states(environment, site)}


@contextmanager
def _running(environment: Environment, site: Site) -> Iterator[subprocess.Popen[bytes]]:
    """The installed daemon beside the body; it must end well when it is told to."""
    with (site.folder / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen(
            [environment.program, "run", "-c", site.config],
            cwd=site.folder, env=environment.variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield daemon
    finally:
        daemon.send_signal(signal.SIGTERM)
        ended = daemon.wait(PATIENCE_SECONDS)
    assert 0 == ended, (site.folder / "daemon.log").read_text(encoding="utf-8")
