"""No plaintext at rest: whatever a sender wrote is found nowhere in what the intermediary keeps, logs or shows.

Canaries stand in every place a sender can write to. Searched is the whole folder of the installation, file by file, page by
page, and every line of the log; left out are the doors through which content comes and goes: inbox, target, Quittungen.
"""

from __future__ import annotations

import io
import logging
import os
import secrets
from collections.abc import Iterator
from datetime import timedelta

import pytest
import structlog

from intermediary.audit.second_place import write_head
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.core.values import Eingang, MemoryContent
from intermediary.daemon.logs import configure_logging
from intermediary.ingress.doors import OSCI_MIME
from intermediary.keys.spool import Spool
from intermediary.operations.act import Decide, Replay
from intermediary.operations.look import explain
from intermediary.operations.person import Request
from intermediary.operations.prove import export, verify_installation
from intermediary.operations.selection import Selection
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import MANDANT, SERVICE_WITHOUT_ROUTE, route_toml
from intermediary.testing.tamper import Damage, tampered
from intermediary.wiring import spool_folder
from tests.acceptance.canaries import search, search_tree, word
from tests.acceptance.planted import BESIDE_LETTER, IN_FAULTS, IN_LETTER, opened_letter, planted, slices
from tests.acceptance.rig import Rig

N, Z = NachrichtState, ZustellungState
WORDS = {name: word(name) for name in (*IN_LETTER, *IN_FAULTS, *BESIDE_LETTER, "target-reason", "exception")}
SERVICE_WITH_ACKNOWLEDGEMENT = "urn:example:musterland:bewohnerparken:3.0"
WHY = Request(actor="pruefer", reason="Probe")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything the processes would write on stderr, at the lowest level, through the processors of the daemon."""
    out = io.StringIO()
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    configure_logging("debug")
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=out), cache_logger_on_first_use=False)
    logging.getLogger().setLevel(logging.DEBUG)
    yield out
    logging.getLogger().handlers, logging.getLogger().level = handlers, level
    structlog.reset_defaults()


def canary_rig_routes(rig: Rig) -> None:
    """A second route, to a target that answers later."""
    (rig.site.folder / "rueckmeldung").mkdir()
    route = route_toml("mit-rueckmeldung", SERVICE_WITH_ACKNOWLEDGEMENT, golden_settings())
    route += '[route.target.settings.acknowledgement]\nfolder = "rueckmeldung"\n'
    with (rig.site.folder / "routes.toml").open("a", encoding="utf-8") as file:
        file.write(route)


def take(rig: Rig, body: bytes, number: int, *, reply_to: str = "") -> str:
    """Hand a letter over with canaries in everything that a transport carries beside it."""
    eingang = Eingang(
        mandant=MANDANT,
        channel="eingang",
        message_id=f"{word('message-id')}-{number}",
        content_type=OSCI_MIME,
        received_at=rig.clock(),
        body=MemoryContent(body),
        reply_to=reply_to,
        correlation_id=f"{word('correlation-id')}-{number}",
        vorgang=f"{word('vorgang')}-{number}",
    )
    (taken,) = rig.store.take([eingang])
    return taken.nachricht_id


def assert_nothing_rests(rig: Rig, words: dict[str, str], log: io.StringIO) -> None:
    """Search the folder and the log."""
    site = rig.site
    doors = [site.drop, site.answers, site.inbox, site.folder / "rueckmeldung"]

    assert [] == search_tree([site.folder], words, leave_out=doors)
    assert [] == list(search(log.getvalue().encode(), words, "log"))


def test_nothing_readable_rests_in_any_state(rig, log):
    """Waiting, parked, awaiting, undeliverable, rejected, completed: in each state, with the store open and closed."""
    canary_rig_routes(rig)
    now = rig.clock
    answers_of_sender = rig.site.answers / word("reply-to")
    bodies = {
        "overdue": rig.seal(planted(1, now=now(), service=SERVICE_WITHOUT_ROUTE)),
        "done": rig.seal(planted(2, now=now())),
        "careless": rig.seal(opened_letter(planted(3, now=now()))),
        "schema": rig.seal(planted(4, now=now(), is_broken=True)),
        "awaiting": rig.seal(planted(5, now=now(), service=SERVICE_WITH_ACKNOWLEDGEMENT)),
        "refused": rig.seal(planted(6, now=now(), service=SERVICE_WITH_ACKNOWLEDGEMENT)),
        "full": rig.seal(planted(7, now=now())),
        "waiting": rig.seal(planted(8, now=now(), service=SERVICE_WITHOUT_ROUTE)),
        "unanswered": rig.seal(planted(9, now=now())),
        "nonsense": rig.seal(opened_letter(planted(10, now=now())))[:-900],
    }
    bodies["forged"] = tampered(
        Damage.CONTENT_CHANGED,
        planted(11, now=now()),
        parties=rig.site.pki.parties,
        random=secrets.token_bytes,
        now=now(),
    )
    words = WORDS | slices(bodies["done"]) | slices(bodies["careless"])
    ids = {}
    ids["overdue"] = take(rig, bodies.pop("overdue"), 1)
    rig.work()
    now.advance(timedelta(hours=72))
    rig.work()
    for number, (name, body) in enumerate(bodies.items(), start=2):
        is_unanswered = name == "unanswered"
        ids[name] = take(rig, body, number, reply_to=word("reply-to") if is_unanswered else "")
        if name == "full":
            rig.site.occupy(ids[name])
    ids["conflict"] = take(rig, bodies["waiting"], 3)
    take(rig, bodies["done"], 2)
    assert_nothing_rests(rig, words, log)
    rig.work()
    assert Z.AWAITING is rig.store.zustellungen(ids["refused"])[0].state
    (lying,) = [path for path in rig.site.drop.glob("*.zip") if path.name.startswith(ids["refused"])]
    note = rig.site.folder / "rueckmeldung" / f"{lying.name}.error"
    note.write_text(f"Zu {word('target-reason')} gibt es schon eine Akte")
    now.advance(timedelta(minutes=10))
    rig.work()

    reached = {name: rig.get(found) for name, found in ids.items()}
    assert (N.PARKED, "route.missing") == (reached["overdue"].state, reached["overdue"].code)
    assert (N.PARKED, "intake.conflict") == (reached["conflict"].state, reached["conflict"].code)
    assert (N.RECEIVED, "route.missing") == (reached["waiting"].state, reached["waiting"].wait_reason)
    assert (N.ANSWERING, "receipt.undeliverable") == (reached["unanswered"].state, reached["unanswered"].wait_reason)
    assert (N.PLANNED, Z.AWAITING) == (reached["awaiting"].state, rig.store.zustellungen(ids["awaiting"])[0].state)
    assert (N.PLANNED, "target.full") == (reached["full"].state, rig.store.zustellungen(ids["full"])[0].code)
    assert {"done": N.COMPLETED, "careless": N.COMPLETED} == {n: reached[n].state for n in ("done", "careless")}
    rejected = {n: reached[n].verdict_code for n in ("schema", "refused", "forged", "nonsense")}
    assert all(reached[name].state is N.REJECTED for name in rejected), rejected
    assert "validate.input.invalid" == rejected["schema"]
    assert "osci.content-signature.invalid" == rejected["forged"]
    assert_nothing_rests(rig, words, log)

    Decide(rig.store, now=now).resume(ids["overdue"], WHY)
    Decide(rig.store, now=now).discard(ids["conflict"], WHY)
    list(Replay(rig.store, now=now).carry_out(Selection.parse([ids["done"]]), WHY, redeliver="eakte"))
    rig.fetch()
    answers_of_sender.mkdir()
    rig.site.add_missing_route(golden_settings())
    rig.store.wake_misconfigured(now())
    rig.work()
    head = rig.store.seal_heads(rig.installation.signing.sign, now=now())
    write_head(rig.installation.settings.audit.heads_folder, head)
    assert {N.COMPLETED} == {rig.get(ids[name]).state for name in ("overdue", "waiting", "unanswered", "done")}
    assert_nothing_rests(rig, words, log)

    shown = "\n".join(export(rig.installation))
    for found in ids.values():
        shown += "\n".join(explain(rig.get(found), rig.store.zustellungen(found), now()).lines)
        shown += repr(rig.get(found)) + repr(rig.store.zustellungen(found)) + repr(rig.store.headers(found))
    assert [] == list(search(shown.encode(), words, "audit export, explain, repr"))
    assert verify_installation(rig.installation).is_ok

    through = {hit.canary for hit in search_tree([rig.site.drop, rig.site.answers], words)}
    assert {"familienname", "png-bytes", "pdf-text", "message-id", "correlation-id", "reply-to"} <= through
    rig.close()
    assert_nothing_rests(rig, words, log)


def _raising(*_: object) -> None:
    """What a plug-in of somebody else may do: an exception that quotes the application, out of another one."""
    try:
        raise KeyError(word("exception"))
    except KeyError as failure:
        raise ValueError(f"kein Antrag von {word('exception')}") from failure


def test_a_defect_of_a_mapping_betrays_nothing(rig, log, monkeypatch):
    """An exception that nobody expected parks the Nachricht; what it said is written nowhere."""
    monkeypatch.setattr("intermediary.pipeline._map", _raising)
    found = take(rig, rig.seal(planted(1, now=rig.clock())), 1)

    rig.work()

    assert (N.PARKED, "bug.unexpected") == (rig.get(found).state, rig.get(found).code)
    assert "claim.failed" in log.getvalue()
    assert_nothing_rests(rig, WORDS, log)


def test_a_defect_of_a_connector_betrays_nothing(rig, log, monkeypatch):
    """Whatever a connector raises is unclear, and its text is written nowhere; nor is that of the look-up after it."""
    for method in ("deliver", "lookup"):
        monkeypatch.setattr(f"connectors.ordner.connector.Ordner.{method}", _raising)
    found = take(rig, rig.seal(planted(1, now=rig.clock())), 1)
    for _ in range(3):
        rig.work()
        rig.clock.advance(timedelta(minutes=10))

    assert rig.store.zustellungen(found)[0].state in (Z.UNCLEAR, Z.PARKED)
    assert_nothing_rests(rig, WORDS, log)


def test_a_spooled_body_is_not_readable_on_disk(rig):
    """A large body lies in a file without a name, and that file, read through its descriptor, holds nothing readable."""
    body = rig.seal(opened_letter(planted(1, now=rig.clock(), large_bytes=2_000_000)))
    assert "png-bytes" in {hit.canary for hit in search(body, WORDS, "arriving")}

    content = Spool(spool_folder(rig.installation.settings)).keep(body)

    (lying,) = [name for name in os.listdir("/proc/self/fd") if "spool-" in _target(f"/proc/self/fd/{name}")]
    with open(f"/proc/self/fd/{lying}", "rb") as file:
        data = file.read()
    assert len(data) > len(body)
    assert [] == list(search(data, WORDS | slices(body), "spool"))
    assert content.read() == body
    assert [] == list(spool_folder(rig.installation.settings).iterdir())


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


def test_the_search_would_notice_what_is_not_sealed(rig, log, monkeypatch):
    """A check of this page itself: ids written in clear are found in the database."""
    monkeypatch.setattr("intermediary.store.take._sealed_headers", lambda _, eingang: eingang.message_id.encode())
    found = take(rig, rig.seal(planted(1, now=rig.clock())), 1)

    hits = search_tree([rig.site.folder / "data"], WORDS)

    assert {"message-id"} == {hit.canary for hit in hits}
    assert any("table nachrichten" in hit.place for hit in hits), found
