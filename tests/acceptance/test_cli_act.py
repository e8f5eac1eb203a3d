"""Verbs that change something: submit, replay and decide, with their reasons and their refusals."""

from __future__ import annotations

from intermediary.core.codes import CATALOGUE

# submit


def test_submit_takes_recognises_and_refuses(own):
    """New, the same again, the same id with other bytes, and what the channel does not let in."""
    rig_file = own.folder / "antrag.osci"
    rig_file.write_bytes(b"MIME-Version: 1.0\r\n\r\nkein Antrag, aber dauerhaft\r\n")
    other = own.folder / "anderer.osci"
    other.write_bytes(b"MIME-Version: 1.0\r\n\r\nandere Bytes\r\n")
    empty = own.folder / "leer.osci"
    empty.write_bytes(b"")

    new = own.call("submit", rig_file, "--json")
    again = own.call("submit", rig_file, "--json")
    conflict = own.call("submit", other, "--message-id", "antrag.osci", "--json")
    refused = own.call("submit", empty, rig_file, "--json")
    unknown = own.call("submit", other, "--content-type", "text/plain", "--json")

    assert (0, "new") == (new.code, new.rows[0]["outcome"])
    assert (0, "duplicate", new.rows[0]["id"]) == (again.code, again.rows[0]["outcome"], again.rows[0]["id"])
    assert "conflict" == conflict.rows[0]["outcome"]
    assert 1 == refused.code
    assert [("refused", "intake.body.empty"), ("duplicate", "")] == [(r["outcome"], r["code"]) for r in refused.rows]
    assert (1, "intake.type.unknown") == (unknown.code, unknown.rows[0]["code"])
    assert rig_file.exists()
    assert "received" == own.call("list", new.rows[0]["id"], "--json").rows[0]["state"]


def test_submit_tells_people_why_it_refuses(own):
    """For people a refusal says meaning and remedy, not only a code."""
    empty = own.folder / "leer.osci"
    empty.write_bytes(b"")

    said = own.call("submit", empty)

    assert 1 == said.code
    assert "leer.osci: refused" in said.out
    assert CATALOGUE["intake.body.empty"].meaning in said.out + said.err


def test_submit_demands_what_it_needs(own):
    """A file that is not there, an unknown channel, one id for two files: usage, 2, and nothing was taken."""
    file = own.folder / "routes.toml"
    before = own.call("state", "--all", "--json").out

    for arguments in (("fehlt.osci",), (file, "--channel", "nirgends"), (file, file, "--message-id", "a")):
        said = own.call("submit", *arguments)

        assert (2, "") == (said.code, said.out)
        assert said.err.startswith("intermediary: error: ")
    assert before == own.call("state", "--all", "--json").out


def test_submit_keeps_the_reserve_of_the_disk(own):
    """What closes every door closes this one too: the command says why, and nothing is taken (G8)."""
    file = own.folder / "routes.toml"
    before = own.call("state", "--all", "--json").out
    with own.config.open("a", encoding="utf-8") as config:
        config.write("\n[intake]\nreserve_megabytes = 1000000000\n")

    said = own.call("submit", file)

    assert (2, "") == (said.code, said.out)
    assert CATALOGUE["intake.disk.reserve"].meaning in said.err
    assert before == own.call("state", "--all", "--json").out


# replay and decide


def test_replay_shows_first_and_moves_then(own):
    """The dry run changes no state; the real one needs a reason and moves on what can move."""
    before = own.call("state", "--all", "--json").out
    dry = own.call("replay", own.ids["overdue"], own.ids["done"], "--dry-run", "--json")
    assert before == own.call("state", "--all", "--json").out
    silent = own.call("replay", own.ids["overdue"])
    real = own.call("replay", own.ids["overdue"], own.ids["done"], "--reason", "Route ergänzt", "--json")

    assert 0 == dry.code
    assert ["resume", "nothing"] == [row["action"] for row in dry.rows]
    assert [True, True] == [row["dryRun"] for row in dry.rows]
    assert 2 == silent.code
    assert "--reason" in silent.err
    assert ["resume", "nothing"] == [row["action"] for row in real.rows]
    assert "received" == own.state("overdue")
    assert "completed" == own.state("done")


def test_replay_refuses_a_redelivery_without_reason(own):
    """What has arrived goes out again only on request, with a reason; then as a Zustellung of its own."""
    dry = own.call("replay", own.ids["done"], "--redeliver", "eakte", "--dry-run", "--json")
    silent = own.call("replay", own.ids["done"], "--redeliver", "eakte")
    wrong = own.call("replay", own.ids["done"], "--redeliver", "akte", "--reason", "x", "--json")
    real = own.call("replay", own.ids["done"], "--redeliver", "eakte", "--reason", "Paket verloren", "--json")

    assert ["redeliver"] == [row["action"] for row in dry.rows]
    assert 2 == silent.code
    assert ["nothing"] == [row["action"] for row in wrong.rows]
    assert ["redeliver"] == [row["action"] for row in real.rows]
    (row,) = own.call("show", own.ids["done"], "--json").rows
    assert ["delivered", "due"] == [one["state"] for one in row["zustellungen"]]
    assert "Paket verloren" == row["zustellungen"][1]["reason"]
    assert row["zustellungen"][0]["key"] == row["zustellungen"][1]["redelivers"]


def test_replay_judges_anew_or_redelivers(own):
    """The two contradict each other: one redelivers what was judged, the other judges what was never sent."""
    said = own.call("replay", own.ids["done"], "--redeliver", "eakte", "--with", "current", "--reason", "x")

    assert (2, "") == (said.code, said.out)
    assert "--redeliver" in said.err


def test_replay_takes_conditions_and_needs_some(own):
    """A selection by state and code; none at all is a mistake, not everything."""
    none = own.call("replay", "--reason", "x")
    some = own.call("replay", "state=parked", "code=route.missing", "--dry-run", "--json")

    assert 2 == none.code
    assert {own.ids["overdue"]} == {row["id"] for row in some.rows}
    for_people = own.call("replay", "state=parked", "code=route.missing", "--dry-run")
    assert "Probelauf: 1 Nachricht würde weiterlaufen." == for_people.lines[-1]
    assert own.ids["overdue"] in for_people.lines[0]


def test_decide_demands_a_reason(own):
    """No decision without saying why: error with hint, 2, and nothing changed."""
    for verb in ("resume", "reject", "discard", "send-again", "confirm-delivered"):
        said = own.call("decide", own.ids["conflict"], verb, "--proof", "x")

        assert (2, "") == (said.code, said.out), verb
        assert "reason" in said.err.splitlines()[0]
        assert "intermediary: hint: " in said.err
        assert "--reason" in said.err
    assert "parked" == own.state("conflict")


def test_decide_carries_out_each_verb(own):
    """Resume, reject and discard move a parked Nachricht; send-again and confirm-delivered a parked Zustellung."""
    why = ("--reason", "geprüft")
    assert "received" == own.call("decide", own.ids["overdue"], "resume", *why, "--json").rows[0]["state"]
    assert "discarded" == own.call("decide", own.ids["conflict"], "discard", *why, "--json").rows[0]["state"]
    assert "answering" == own.call("decide", own.ids["waiting"], "reject", *why, "--json").rows[0]["state"]
    again = own.call("decide", f"{own.ids['stuck']}/eakte", "send-again", *why)
    assert (0, f"Nachricht {own.ids['stuck']} ist jetzt planned.\n") == (again.code, again.out)
    (row,) = own.call("show", own.ids["stuck"], "--json").rows
    assert "due" == row["zustellungen"][0]["state"]
    persons = [event for event in row["events"] if event["event"].startswith("person.")]
    assert ["geprüft"] == [event["fields"]["reason"] for event in persons]
    assert all(event["actor"] for event in persons)


def test_decide_confirms_what_a_person_has_seen(own):
    """With a proof the Zustellung counts as delivered; without one it is refused."""
    target = f"{own.ids['stuck']}/eakte"
    bare = own.call("decide", target, "confirm-delivered", "--reason", "gesehen")
    proven = own.call("decide", target, "confirm-delivered", "--reason", "gesehen", "--proof", "Vorgang 4711")

    assert 2 == bare.code
    assert "--proof" in bare.err
    assert 0 == proven.code, proven
    (row,) = own.call("show", own.ids["stuck"], "--json").rows
    assert ("answering", "delivered") == (row["state"], row["zustellungen"][0]["state"])


def test_a_decision_about_the_whole_takes_no_target(own):
    """Who names a target means the target: discarding the whole Nachricht for it would be a surprise."""
    for verb in ("resume", "reject", "discard"):
        said = own.call("decide", f"{own.ids['conflict']}/eakte", verb, "--reason", "x")

        assert (2, "") == (said.code, said.out)
        assert verb in said.err
    assert "parked" == own.state("conflict")


def test_what_has_arrived_is_not_sent_again(own):
    """Send-again is for what has not arrived; a target that has it, or is none of this route, is refused."""
    arrived = own.call("decide", f"{own.ids['done']}/eakte", "send-again", "--reason", "x")
    unknown = own.call("decide", f"{own.ids['stuck']}/akte", "send-again", "--reason", "x")

    assert (2, 2) == (arrived.code, unknown.code)
    assert "akte" in unknown.err
    assert "completed" == own.state("done")


def test_the_account_in_the_trail_is_the_real_one(own, monkeypatch):
    """Who decided is who the system says it is, not what the environment claims."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "mallory")

    own.call("decide", own.ids["conflict"], "discard", "--reason", "geprüft")

    (row,) = own.call("show", own.ids["conflict"], "--json").rows
    actors = {event["actor"] for event in row["events"] if event["event"].startswith("person.")}
    assert 1 == len(actors)
    assert "mallory" not in actors


def test_what_is_not_possible_is_said(own):
    """A decision that does not fit the state changes nothing and says what is the matter."""
    said = own.call("decide", own.ids["done"], "discard", "--reason", "weg damit")

    assert 2 == said.code
    assert "completed" in said.err
    assert "completed" == own.state("done")


def test_decide_takes_conditions(own):
    """Several Nachrichten are decided at once; what is not possible is said, and the exit code tells."""
    file = own.folder / "antrag.osci"
    for number in range(2):
        file.write_bytes(b"MIME-Version: 1.0\r\n\r\nkein Antrag %d\r\n" % number)
        own.call("submit", file, "--message-id", "derselbe")
    file.write_bytes(b"MIME-Version: 1.0\r\n\r\nnoch einer\r\n")
    own.call("submit", file, "--message-id", "derselbe")
    parked = own.call("list", "state=parked", "code=intake.conflict", "--json").rows

    done = own.call("decide", "state=parked code=intake.conflict", "discard", "--reason", "Probe", "--json")
    nothing = own.call("decide", "state=completed", "discard", "--reason", "Probe")

    assert 3 == len(parked)  # one of them belongs to the office already
    assert (0, {"discarded"}) == (done.code, {row["state"] for row in done.rows})
    assert {row["id"] for row in parked} == {row["id"] for row in done.rows}
    assert nothing.code in (0, 1)
    assert [] == own.call("list", "state=parked", "code=intake.conflict", "--json").rows
