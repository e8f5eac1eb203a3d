"""Fetching by the URLs of the XRepository: what is asked, and everything that is not followed."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.operations.package_sources import Source, take_in
from intermediary.operations.standards import state_on
from intermediary.operations.xrepository import Publisher, fetch, url_of
from intermediary.validate.install import Notes
from intermediary.validate.lock import read_lock
from tests.unit.validate import code_samples as samples

STANDARD = "urn:xoev-de:beispiel:standard:bestellung_1.0"
LIST = "urn:xoev-de:beispiel:codeliste:form_2"


def _zip(files: dict[str, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return target.getvalue()


FILES = {
    f"/api/xrepository/{STANDARD}:xmlschema": _zip(
        {"Bestellung/xsd/codes.xsd": samples.SCHEMA, "Bestellung/a.pdf": "x"}
    ),
    f"/api/version_codeliste/{LIST}/genericode": samples.FORM.encode(),
    f"/api/version_standard/{STANDARD}/genutzteAktuelleCodelisten": _zip(
        {"form.xml": samples.FORM, "land.xml": samples.LAND}
    ),
}

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def _server(answer: Answer | None = None) -> Iterator[tuple[str, list[str]]]:
    """A repository on the loopback interface with these files; the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if answer is not None:
                answer(self)
                return
            data = FILES.get(self.path)
            self.send_response(200 if data is not None else 404)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _code(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(Misconfigured) as caught:
        call()
    return caught.value.code, caught.value.where


def test_standard_list_and_used_lists_come_from_their_paths(tmp_path: Path) -> None:
    """All three layouts, installed under the URN's own name, with origin, licence and validity in the lock."""
    notes = Notes(licence="CC0", valid_from=date(2026, 5, 1), valid_until=date(2026, 10, 31))
    with _server() as (base, asked):
        publisher = Publisher(base, is_internal=True)
        for source in (Source(STANDARD), Source(LIST), Source(STANDARD, used_lists=True)):
            take_in(source, tmp_path, publisher=publisher, accept_new=True, notes=notes)
    lock = read_lock(tmp_path)

    assert list(FILES) == asked
    assert {"bestellung@1.0", "form@2", "bestellung-codelisten@1.0"} == set(lock)
    manifest = lock["bestellung@1.0"].manifest
    assert (STANDARD, "CC0", notes.valid_from, notes.valid_until) == (
        manifest.urn,
        manifest.licence,
        manifest.valid_from,
        manifest.valid_until,
    )
    assert manifest.origin == f"{base}/api/xrepository/{STANDARD}:xmlschema"
    assert ("codes.xsd",) == manifest.entries
    assert {"form.xml", "land.xml"} == set(lock["bestellung-codelisten@1.0"].listed)


def test_what_has_no_pin_is_not_taken_without_a_word(tmp_path: Path) -> None:
    """Fetched is not reviewed: the hash is shown, and nothing is installed."""
    with _server() as (base, _):
        publisher = Publisher(base, is_internal=True)
        source = Source(STANDARD)
        found = _code(lambda: take_in(source, tmp_path, publisher=publisher, accept_new=False, notes=Notes()))

    assert "validate.package.unknown" == found[0]
    assert {} == read_lock(tmp_path)


def _sends(status: int, *headers: tuple[str, str], body: bytes = b"") -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.mark.parametrize(
    ("answer", "code", "reason"),
    [
        (_sends(302, ("Location", "http://169.254.169.254/latest")), "refused", "another host"),
        (_sends(302, ("Location", "file:///etc/passwd")), "refused", "no address"),
        (_sends(302, ("Location", "https://127.0.0.1/x")), "refused", "another host"),
        (_sends(301, ("Location", "//boese.example/x")), "refused", "another host"),
        (_sends(302, ("Location", "/immer/weiter")), "refused", "too many redirects"),
        (_sends(302), "refused", "too many redirects"),
        (_sends(404), "failed", "HTTP 404"),
        (_sends(500), "failed", "HTTP 500"),
        (_sends(200, body=b"<html>Anmeldung</html>"), "refused", "no ZIP file"),
        (_sends(200, body=b"PK\x03\x04" + bytes(5000)), "refused", "larger than 4000 bytes"),
        (_sends(200, ("Content-Encoding", "gzip"), body=b"PK\x03\x04"), "refused", "packed twice"),
        (_sends(200, ("Content-Length", "100"), body=b"PK\x03\x04"), "failed", "IncompleteRead"),
        (lambda handler: handler.connection.close(), "failed", ""),
    ],
    ids=["metadata service", "file", "other port", "other host", "loop", "nowhere", "not there", "broken", "html",
         "too large", "encoded", "cut", "closed"],
)  # fmt: skip
def test_what_a_publisher_may_not_do(tmp_path: Path, answer: Answer, code: str, reason: str) -> None:
    """Neither leads it elsewhere nor fills the disk; the fault names address and reason."""
    with _server(answer) as (base, asked):
        publisher = Publisher(base, is_internal=True, max_bytes=4000, seconds=30)
        found = _code(lambda: fetch(publisher, STANDARD, "schema", tmp_path))

    assert f"schemas.fetch.{code}" == found[0]
    assert reason in found[1]
    assert len(asked) <= 4


def test_private_addresses_and_http_need_a_word(tmp_path: Path) -> None:
    """Without --internal neither http nor an address inside is asked; no connection is made."""
    with _server() as (base, asked):
        plain = _code(lambda: fetch(Publisher(base), STANDARD, "schema", tmp_path))
        port = base.rpartition(":")[2]
        inside = _code(
            lambda: fetch(
                Publisher(f"https://www.xrepository.de:{port}"),
                STANDARD,
                "schema",
                tmp_path,
                resolve=lambda host, port: ["127.0.0.1"],
            )
        )

    assert [] == asked
    assert ("schemas.fetch.refused", True) == (plain[0], "https only" in plain[1])
    assert ("schemas.fetch.refused", True) == (inside[0], "a private address" in inside[1])


def test_a_name_is_resolved_once_and_that_is_where_it_connects(tmp_path: Path) -> None:
    """A second answer of the name server (DNS rebinding) is never asked for."""
    answers = [["127.0.0.1"], ["192.0.2.1"]]
    with _server() as (base, asked):
        port = base.rpartition(":")[2]
        publisher = Publisher(f"http://spiegel.example:{port}", is_internal=True)
        fetch(publisher, STANDARD, "schema", tmp_path, resolve=lambda host, port: answers.pop(0))

    assert (1, 1) == (len(asked), len(answers))


def test_a_slow_publisher_ends(tmp_path: Path) -> None:
    """The time is for the whole file: a drip does not hold anybody for ever."""
    moments = iter([0.0, 1.0, *[1000.0] * 50])
    with _server() as (base, _):
        publisher = Publisher(base, is_internal=True, seconds=300)
        found = _code(lambda: fetch(publisher, STANDARD, "schema", tmp_path, clock=lambda: next(moments)))

    assert ("schemas.fetch.failed", True) == (found[0], "TimeoutError" in found[1])


@pytest.mark.parametrize(
    "urn", ["xdomea", "urn:x", "urn:a:b c", "urn:a:../../b?x", "urn:a:b\r\nHost: x", "urn:a:" + "b" * 400]
)
def test_only_a_urn_becomes_part_of_an_address(urn: str) -> None:
    """What is none is refused before anybody is asked."""
    assert "schemas.fetch.refused" == _code(lambda: url_of(Publisher("https://www.xrepository.de"), urn, "schema"))[0]


def test_a_urn_with_special_signs_stays_one_step_of_the_path() -> None:
    """Slashes and quotes are escaped; the path is that of the publisher."""
    url = url_of(Publisher("https://www.xrepository.de/"), "urn:de:a:b/c'd_1", "list")

    assert "https://www.xrepository.de/api/version_codeliste/urn:de:a:b%2Fc%27d_1/genericode" == url


@pytest.mark.parametrize(
    ("begins", "ends", "told"),
    [
        (None, None, ""),
        (date(2026, 12, 1), None, "ab 01.12.2026"),
        (None, date(2026, 11, 22), "bis 22.11.2026 (0 Tage)"),
        (None, date(2026, 11, 21), "seit 21.11.2026 abgelaufen"),
        (date(2026, 5, 1), date(2026, 12, 2), "bis 02.12.2026 (10 Tage)"),
    ],
)
def test_a_validity_is_told_in_words(begins: date | None, ends: date | None, told: str) -> None:
    """Not yet, so many days, over."""
    assert told == state_on(date(2026, 11, 22), begins, ends)
