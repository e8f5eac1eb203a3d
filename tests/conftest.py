"""What every test may ask for: the shared material beside the project, and a tally of what was left out without it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from intermediary.testing.clamd import PrivateClamd
from intermediary.testing.postgres import PostgresMissing, PrivatePostgres

PROJECT = Path(__file__).resolve().parent.parent

settings.register_profile("project", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("project")


@pytest.fixture(scope="session")
def project() -> Path:
    """The root folder of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def shared_or_none() -> Path | None:
    """The folder of shared material (specs, schemas, vectors), or None; read only."""
    folder = Path(os.environ.get("INTERMEDIARY_SHARED", PROJECT.parent / "shared")).resolve()
    return folder if (folder / "schemas").is_dir() and (folder / "vectors").is_dir() else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """One private PostgreSQL for the tests of this process; a test may kill it, if it restarts it.

    Without PostgreSQL the test is skipped, or fails if INTERMEDIARY_SERVERS_REQUIRED=1.
    """
    try:
        server = PrivatePostgres()
    except PostgresMissing as missing:
        if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    with server:
        yield server


@pytest.fixture
def shared(request: pytest.FixtureRequest, shared_or_none: Path | None) -> Path:
    """The folder of shared material; without it the test is skipped, or fails if INTERMEDIARY_SHARED_REQUIRED=1."""
    if shared_or_none is not None:
        return shared_or_none
    if os.environ.get("INTERMEDIARY_SHARED_REQUIRED") == "1":
        pytest.fail("the shared material is required and missing: set INTERMEDIARY_SHARED")
    pytest.skip("no shared material: set INTERMEDIARY_SHARED")


@pytest.fixture(scope="session")
def softhsm() -> Path:
    """The module of SoftHSM; without it the test is skipped, or fails if INTERMEDIARY_SERVERS_REQUIRED=1."""
    from intermediary.testing.tokens import soft_hsm

    try:
        return soft_hsm()
    except FileNotFoundError as missing:
        if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def clamd_program() -> str:
    """The clamd of this machine; without it the test is skipped, or fails if INTERMEDIARY_SERVERS_REQUIRED=1."""
    from intermediary.testing.clamd import ClamdMissing, clamd_here

    try:
        return clamd_here()
    except ClamdMissing as missing:
        if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def clamd(clamd_program: str) -> Iterator[PrivateClamd]:
    """One private clamd for the tests of this process, with one harmless pattern; nobody kills it."""
    with PrivateClamd() as server:
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end how much was left out because the shared material is missing."""
    skipped = terminalreporter.stats.get("skipped", [])
    without = sum("no shared material" in str(report.longrepr) for report in skipped)
    if without:
        terminalreporter.write_line(f"{without} tests were skipped: no shared material (INTERMEDIARY_SHARED)")
    unscanned = sum("clamd is missing" in str(report.longrepr) for report in skipped)
    if unscanned:
        terminalreporter.write_line(f"{unscanned} tests were skipped: no clamd (apt-get install clamav-daemon)")
