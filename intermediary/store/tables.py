"""The tables, as SQLAlchemy Core sees them; how they came to be is told by the migrations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from intermediary.store.columns import Json, Moment


def _where(condition: str) -> dict[str, Any]:
    """The condition of a partial index, for both engines."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


STUCK = "state = 'parked' OR (own_due_at IS NOT NULL AND wait_reason <> '')"
STUCK_ZUSTELLUNG = "code <> '' AND state IN ('due', 'unclear', 'awaiting', 'parked')"
"""What is in trouble, as the engines must read it word for word to find it by its index."""

KEPT = "payload = 'present' AND due_at IS NULL"
"""Nachrichten whose payload rests and that nothing is to be done with by the machine: what a term may end for."""

LEFT_OVER = "payload = 'erased' AND blob <> ''"
"""Nachrichten whose payload was erased, and whose blob may still be there, unreadable."""

_CLAIMABLE = "due_at IS NOT NULL AND lease_until IS NULL AND unexplained = 0"
"""What a worker may be given, now or later: nobody is at it, and it is no suspect."""

METADATA = MetaData()

nachrichten = Table(
    "nachrichten",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("mandant", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("wait_reason", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("since", Moment, nullable=False),
    Column("due_at", Moment),
    Column("own_due_at", Moment),
    Column("attempts", Integer, nullable=False),
    Column("unexplained", Integer, nullable=False),
    Column("route", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("verdict_code", Text, nullable=False),
    Column("pins", Json, nullable=False),
    Column("body_sha256", Text, nullable=False),
    Column("body_length", BigInteger, nullable=False),
    Column("payload", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("plan", Json, nullable=False),
    Column("headers", LargeBinary),
    Column("blob", Text, nullable=False),
    Column("lease_owner", Text),
    Column("lease_token", BigInteger, nullable=False),
    Column("lease_until", Moment),
    Column("took_over", Boolean, nullable=False),
    Column("crashes", Integer, nullable=False, server_default="0"),
    Column("chain_length", Integer, nullable=False),
    Column("chain_digest", Text, nullable=False),
    Column("vorgang_hash", Text, nullable=False, server_default=""),
    Column("vorgang_number", BigInteger, nullable=False, server_default="0"),
    Column("vorgang_place", Text, nullable=False, server_default=""),
    Column("vorgang_open", BigInteger),
    Column("vorgang_waits", BigInteger),
    Column("state_since", Moment),
    Column("held_since", Moment),
    Index("ix_nachrichten_vorgang", "vorgang_hash", "vorgang_open", **_where("vorgang_open IS NOT NULL")),
    Index("ix_nachrichten_waits", "vorgang_hash", "vorgang_waits", **_where("vorgang_waits IS NOT NULL")),
    Index("ix_nachrichten_turn", "mandant", "due_at", "received_at", **_where(_CLAIMABLE)),
    Index("ix_nachrichten_due", "due_at", "received_at", **_where("due_at IS NOT NULL")),
    Index("ix_nachrichten_suspect", "due_at", **_where("unexplained > 0")),
    Index("ix_nachrichten_received", "received_at", "id"),
    Index("ix_nachrichten_mandant", "mandant", "received_at", "id"),
    Index("ix_nachrichten_counts", "state", "code", "wait_reason"),
    Index("ix_nachrichten_state", "state", "received_at", "id"),
    Index("ix_nachrichten_code", "code", "received_at", "id", **_where("code <> ''")),
    Index("ix_nachrichten_wait", "wait_reason", "received_at", "id", **_where("wait_reason <> ''")),
    Index("ix_nachrichten_route", "route", "received_at", "id", **_where("route <> ''")),
    Index("ix_nachrichten_lease", "lease_owner", **_where("lease_owner IS NOT NULL")),
    Index("ix_nachrichten_kept", "mandant", "route", "state", "received_at", "id", **_where(KEPT)),
    Index("ix_nachrichten_leftover", "id", **_where(LEFT_OVER)),
    Index("ix_nachrichten_held", "received_at", "id", **_where("held_since IS NOT NULL")),
    Index("ix_nachrichten_stuck", "state", "code", "wait_reason", "route", "channel", "mandant", **_where(STUCK)),
)

zustellungen = Table(
    "zustellungen",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("nachricht_id", Text, ForeignKey("nachrichten.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("target", Text, nullable=False),
    Column("required", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment),
    Column("intended_at", Moment),
    Column("output_sha256", Text, nullable=False),
    Column("redelivery", Integer, nullable=False),
    Column("redelivers", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("proof", Json, nullable=False),
    Column("correlation", Json, nullable=False),
    Column("until", Moment),
    Column("since", Moment, nullable=False),
    Column("waits_for", Text, nullable=False, server_default=""),
    UniqueConstraint("nachricht_id", "target", "redelivery", name="uq_zustellungen_target"),
    Index("ix_zustellungen_nachricht", "nachricht_id", "position"),
    Index("ix_zustellungen_code", "code", **_where("code <> ''")),
    Index("ix_zustellungen_waits_for", "waits_for", "since", "key", **_where("waits_for <> ''")),
    Index("ix_zustellungen_stuck", "nachricht_id", "code", "target", "state", **_where(STUCK_ZUSTELLUNG)),
)

delivery_steps = Table(
    "delivery_steps",
    METADATA,
    Column("key", Text, ForeignKey("zustellungen.key"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("nachricht_id", Text, ForeignKey("nachrichten.id"), nullable=False),
    Column("step", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("done_at", Moment, nullable=False),
    Column("facts", Json, nullable=False),
    UniqueConstraint("key", "step", name="uq_delivery_steps_step"),
    Index("ix_delivery_steps_nachricht", "nachricht_id"),
)

data_keys = Table(
    "data_keys",
    METADATA,
    Column("nachricht_id", Text, ForeignKey("nachrichten.id"), primary_key=True),
    Column("mandant", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
)

intake_keys = Table(
    "intake_keys",
    METADATA,
    Column("mandant", Text, primary_key=True),
    Column("message_hash", Text, primary_key=True),
    Column("nachricht_id", Text, ForeignKey("nachrichten.id"), primary_key=True),
    Column("taken_at", Moment, nullable=False),
    Index("ix_intake_keys_taken", "taken_at"),
)

audit_events = Table(
    "audit_events",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("chain", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("digest", Text, nullable=False),
    Column("number", BigInteger),
    UniqueConstraint("chain", "seq", name="uq_audit_events_chain"),
    Index("ix_audit_events_number", "number", unique=True, **_where("number IS NOT NULL")),
    Index("ix_audit_events_unsealed", "id", **_where("number IS NULL")),
    sqlite_autoincrement=True,
)

audit_heads = Table(
    "audit_heads",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("line", Text, nullable=False),
    Column("frontier", Text, nullable=False),
)

vorgaenge = Table(
    "vorgaenge",
    METADATA,
    Column("hash", Text, primary_key=True),
    Column("mandant", Text, nullable=False),
    Column("last_number", BigInteger, nullable=False),
    Column("last_at", Moment, nullable=False),
    Index("ix_vorgaenge_last", "last_at"),
)

meta = Table(
    "meta",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

search_keys = Table(
    "search_keys",
    METADATA,
    Column("nachricht_id", Text, ForeignKey("nachrichten.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value_hash", Text, nullable=False),
    Column("received_at", Moment),
    Index("ix_search_keys_newest", "value_hash", "received_at", "nachricht_id"),
)

incidents = Table(
    "incidents",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("affected", Integer, nullable=False),
    Column("most", Integer, nullable=False),
    Column("mandanten", Json, nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("opened_at", Moment),
    Column("quiet_since", Moment),
    Column("ended_at", Moment),
    Column("acknowledged_at", Moment),
    Column("acknowledged_by", Text, nullable=False),
    Column("acknowledged_reason", Text, nullable=False),
    Index("uq_incidents_live", "fingerprint", unique=True, **_where("ended_at IS NULL")),
    Index("ix_incidents_opened", "opened_at", "id"),
)

alerts = Table(
    "alerts",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("incident_id", Text, ForeignKey("incidents.id"), nullable=False),
    Column("phase", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("due_at", Moment),
    Column("attempts", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("lease_token", Integer, nullable=False),
    Column("sent_at", Moment),
    Index("ix_alerts_due", "due_at", **_where("due_at IS NOT NULL")),
    Index("ix_alerts_incident", "incident_id"),
)

approvals = Table(
    "approvals",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("verb", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("asked_sha256", Text, nullable=False),
    Column("effect", Json, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("state", Text, nullable=False),
    Column("second_actor", Text, nullable=False),
    Column("second_subject", Text, nullable=False),
    Column("second_reason", Text, nullable=False),
    Column("decided_at", Moment),
    Column("used_by", Text, nullable=False),
    Column("used_at", Moment),
    Index("ix_approvals_created", "created_at", "id"),
)

jobs = Table(
    "jobs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("selection", Json, nullable=False),
    Column("options", Json, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("interval_microseconds", BigInteger, nullable=False),
    Column("error_percent", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("idle", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("cursor", Integer, nullable=False),
    Column("round_from", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("next_at", Moment, nullable=False),
    Column("lease_owner", Text),
    Column("lease_token", BigInteger, nullable=False),
    Column("lease_until", Moment),
    Index("ix_jobs_open", "fingerprint", unique=True, **_where("ended_at IS NULL")),
)

job_items = Table(
    "job_items",
    METADATA,
    Column("job_id", Text, ForeignKey("jobs.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("nachricht_id", Text, nullable=False),
    Column("expected", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("ground", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("again_at", Moment),
    UniqueConstraint("nachricht_id", "job_id", name="uq_job_items_nachricht"),
    Index("ix_job_items_again", "job_id", "again_at", **_where("again_at IS NOT NULL")),
)

holds = Table(
    "holds",
    METADATA,
    Column("mandant", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("since", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

targets = Table(
    "targets",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("rests", Integer, nullable=False),
    Column("rest_until", Moment),
    Column("code", Text, nullable=False),
    Column("probe_key", Text, nullable=False),
    Column("probe_nachricht", Text, nullable=False),
    Column("probe_token", BigInteger, nullable=False),
    Column("normal_per_minute", Integer),
    Column("return_began_at", Moment),
    Column("return_last_at", Moment),
    Column("passes_at", Moment),
    Column("queue_ends_at", Moment),
    Column("deed_micros", BigInteger, nullable=False),
)

target_turns = Table(
    "target_turns",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("nachricht_id", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("began_at", Moment, nullable=False),
    Index("ix_target_turns_target", "target"),
)

target_pauses = Table(
    "target_pauses",
    METADATA,
    Column("scope", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("paused_at", Moment, nullable=False),
    Column("until", Moment),
)
