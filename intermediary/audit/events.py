"""The closed list of audit events: name, meaning for the auditor, and the fields each one carries.

An event name is an interface: never renamed, only added. `docs/reference/events.md` is generated from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event; `meaning` is German, because auditors and Fachaemter read it.

    `optional` are fields that an event may carry besides.
    """

    name: str
    meaning: str
    fields: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


_DELIVERY = ("target", "key")
_JOB = ("job",)

_KINDS = (
    Kind(
        "intake.taken",
        "Eine Sendung wurde dauerhaft angenommen.",
        ("channel", "content_type", "direction", "body_sha256", "body_length"),
    ),
    Kind("intake.duplicate", "Dieselbe Sendung kam noch einmal; es bleibt bei einer Nachricht.", ("channel",)),
    Kind(
        "intake.conflict",
        "Unter derselben Nachrichten-ID liegt schon eine Sendung mit anderem Inhalt; die Nachricht ist angehalten.",
        ("channel", "content_type", "direction", "body_sha256", "body_length", "others"),
    ),
    Kind(
        "nachricht.planned",
        "Die Nachricht wurde geöffnet, geprüft und einer Route zugeordnet; die Zustellungen stehen fest.",
        ("route", "pins", "plan_sha256", "targets"),
    ),
    Kind(
        "nachricht.refused",
        "Die Prüfung hat ergeben, dass der Sender etwas ändern muss; die Nachricht wird abgelehnt.",
        ("code", "findings", "plan_sha256"),
    ),
    Kind(
        "nachricht.waits",
        "Die Nachricht wartet auf den nächsten Versuch.",
        ("state", "code", "until", "counts"),
    ),
    Kind("nachricht.parked", "Die Nachricht ist angehalten; ein Mensch muss entscheiden.", ("state", "code")),
    Kind(
        "claim.unexplained",
        "Eine Bearbeitung endete, ohne ein Ergebnis zu hinterlassen; die Nachricht wurde neu übernommen.",
        ("count",),
    ),
    Kind(
        "delivery.intended",
        "Die Absicht, an das Ziel zuzustellen, wurde festgehalten.",
        (*_DELIVERY, "attempt", "output_sha256"),
    ),
    Kind(
        "delivery.step",
        "Das Ziel hat einen Schritt der Zustellung getan; ein neuer Versuch beginnt danach.",
        (*_DELIVERY, "attempt", "step", "facts_sha256"),
    ),
    Kind("delivery.delivered", "Das Ziel hat dauerhaft übernommen.", (*_DELIVERY, "attempt", "proof")),
    Kind("delivery.refused", "Das Ziel hat den Inhalt abgelehnt.", (*_DELIVERY, "attempt", "code", "proof")),
    Kind(
        "delivery.awaiting",
        "Übergeben; das Ziel entscheidet später.",
        (*_DELIVERY, "attempt", "until", "correlation"),
    ),
    Kind(
        "delivery.unclear",
        "Es steht nicht fest, ob die Zustellung angekommen ist.",
        (*_DELIVERY, "attempt", "code", "reason"),
    ),
    Kind(
        "delivery.due",
        "Die Zustellung ist nachweislich nicht angekommen und wird wiederholt.",
        (*_DELIVERY, "attempt", "code", "until"),
    ),
    Kind(
        "delivery.waits",
        "Die Zustellung wartet in ihrem Zustand auf den nächsten Schritt.",
        (*_DELIVERY, "attempt", "state", "code", "until"),
    ),
    Kind(
        "delivery.parked",
        "Die Zustellung ist angehalten; ein Mensch muss entscheiden.",
        (*_DELIVERY, "attempt", "code"),
    ),
    Kind("verdict.accepted", "Alle verlangten Zustellungen sind angekommen; der Sender erhält eine Quittung."),
    Kind(
        "verdict.rejected",
        "Eine verlangte Zustellung wurde abgelehnt; der Sender erhält eine Ablehnung.",
        ("code",),
    ),
    Kind("answer.sent", "Der Sender hat seine Antwort erhalten; die Nachricht ist erledigt.", ("state", "proof")),
    Kind(
        "person.confirmed",
        "Eine Person hat beim Ziel nachgesehen: die Zustellung ist angekommen.",
        (*_DELIVERY, "reason", "proof"),
    ),
    Kind(
        "person.sent-again",
        "Eine Person hat einen weiteren Zustellversuch unter demselben Schlüssel angeordnet.",
        (*_DELIVERY, "reason"),
        _JOB,
    ),
    Kind(
        "post-box.fetched",
        "Der Leser hat die Nachricht zum ersten Mal aus seinem Postfach abgeholt; bestätigt hat er sie damit nicht.",
        (*_DELIVERY, "reader"),
    ),
    Kind(
        "sender.cancelled",
        "Der Sender hat die Nachricht zurückgezogen, bevor sie bearbeitet wurde; sie ist verworfen.",
        ("code",),
    ),
    Kind(
        "person.let-pass",
        "Eine Person hat die späteren Nachrichten des Vorgangs an dieser vorbeigelassen; sie hält niemanden mehr auf.",
        ("reason",),
    ),
    Kind("person.hurried", "Eine Person hat die Wartezeit beendet; es wird sofort wieder versucht.", ("reason",), _JOB),
    Kind(
        "person.judged-anew",
        "Eine Person hat angeordnet, die Nachricht mit den heutigen Fassungen neu zu beurteilen.",
        ("reason", "revision"),
        _JOB,
    ),
    Kind("person.resumed", "Eine Person hat die angehaltene Nachricht fortgesetzt.", ("state", "reason"), _JOB),
    Kind("person.rejected", "Eine Person hat die Nachricht abgelehnt.", ("code", "reason")),
    Kind("person.discarded", "Eine Person hat die Nachricht verworfen; der Sender erhält keine Antwort.", ("reason",)),
    Kind(
        "person.redelivered",
        "Eine Person hat eine neue Zustellung unter neuem Schlüssel angeordnet.",
        (*_DELIVERY, "redelivery", "redelivers", "reason"),
        _JOB,
    ),
    Kind(
        "person.redelivery-discarded",
        "Eine Person lässt es bei der Ablehnung einer erneuten Zustellung bewenden.",
        (*_DELIVERY, "reason"),
    ),
    Kind("person.dry-run", "Eine Person hat die Nachricht zur Probe neu beurteilen lassen.", ("reason", "result")),
    Kind("person.read", "Eine Person hat Inhalte der Nachricht gelesen oder ausgeleitet.", ("reason", "what")),
    Kind(
        "person.approved",
        "Eine zweite Person hatte freigegeben, was als Nächstes mit der Nachricht geschieht.",
        ("approval", "verb", "requested_by", "approved_by"),
    ),
    Kind(
        "person.denied",
        "Was eine Person mit der Nachricht verlangte, wurde abgewiesen; es wurde nichts geändert.",
        ("verb", "why", "reason"),
        _JOB,
    ),
    Kind(
        "approval.requested",
        "Eine Person hat eine Änderung verlangt, die eine zweite Person freigeben muss.",
        ("approval", "verb", "asked_sha256", "count", "reason"),
    ),
    Kind(
        "approval.given",
        "Eine zweite Person hat die verlangte Änderung freigegeben.",
        ("approval", "verb", "requested_by", "reason"),
    ),
    Kind(
        "approval.refused",
        "Eine zweite Person hat die verlangte Änderung abgelehnt.",
        ("approval", "verb", "requested_by", "reason"),
    ),
    Kind(
        "approval.used",
        "Die freigegebene Änderung wird ausgeführt; eine Freigabe gilt nur einmal.",
        ("approval", "verb", "requested_by", "approved_by", "asked_sha256"),
    ),
    Kind(
        "approval.denied",
        "Ein Versuch ohne gültige Freigabe wurde abgewiesen; es wurde nichts geändert.",
        ("approval", "verb", "why", "reason"),
    ),
    Kind(
        "approval.loosened",
        "Was eine zweite Person verlangt, wurde gelockert, mit Freigabe einer zweiten Person.",
        ("required", "same_person", "approval", "requested_by", "approved_by", "reason"),
    ),
    Kind(
        "person.searched",
        "Eine Person hat nach einer Kennung gesucht; wonach, steht nicht hier.",
        ("found", "reason"),
    ),
    Kind(
        "payload.erased",
        "Der Inhalt wurde durch Löschen seines Schlüssels unlesbar gemacht.",
        ("reason",),
        ("rule",),
    ),
    Kind("hold.set", "Eine Person hat die Nachricht vor dem Löschen gesperrt.", ("reason",)),
    Kind("hold.released", "Eine Person hat die Löschsperre der Nachricht aufgehoben.", ("reason",)),
    Kind(
        "hold.standing-set",
        "Eine Person hat alles eines Mandanten (einer Route), auch Künftiges, vor dem Löschen gesperrt.",
        ("mandant", "route", "reason"),
    ),
    Kind(
        "hold.standing-released",
        "Eine Person hat die Löschsperre eines Mandanten (einer Route) aufgehoben.",
        ("mandant", "route", "reason"),
    ),
    Kind(
        "memory.forgotten",
        "Suchbegriffe oder Nachrichten-IDs (nur als Prüfwerte gespeichert), oder was beendete Aufträge und Störungen im "
        "Einzelnen betraf (`ended`), wurden nach ihrer Frist gelöscht.",
        ("what", "until", "count"),
    ),
    Kind(
        "nachricht.reduced",
        "Mit ihrem Mandanten gelöscht: von der Nachricht blieb nur, was auch im Protokoll steht.",
        ("reason",),
    ),
    Kind(
        "mandant.exported",
        "Eine Person hat alles eines Mandanten ausgeleitet; `payload` sagt, ob mit Inhalten.",
        ("mandant", "nachrichten", "payload", "reason"),
    ),
    Kind(
        "mandant.deletion-begun",
        "Eine Person hat die Löschung eines Mandanten angeordnet.",
        ("mandant", "nachrichten", "forced", "reason"),
    ),
    Kind("mandant.deleted", "Von diesem Mandanten ist kein Inhalt mehr da.", ("mandant", "nachrichten", "reason")),
    Kind(
        "configuration.changed",
        "Die Konfiguration wurde geändert; was auf den Betrieb wartete, wird wieder versucht.",
        ("woken",),
    ),
    Kind(
        "audit.key-changed",
        "Der Schlüssel, der die Köpfe des Protokolls signiert, wird gewechselt; der alte signiert diese Ankündigung noch.",
        ("old_key", "new_key", "reason"),
    ),
    Kind(
        "job.started",
        "Eine Person hat einen Auftrag über viele Nachrichten erteilt; die Auswahl steht damit fest.",
        ("job", "kind", "selection", "options", "total", "reason"),
    ),
    Kind(
        "job.paused",
        "Ein Auftrag wurde angehalten, von einer Person oder wegen zu vieler Fehler.",
        ("job", "code", "reason"),
    ),
    Kind("job.resumed", "Eine Person hat einen angehaltenen Auftrag fortgesetzt.", ("job", "rate", "reason")),
    Kind(
        "job.stopped",
        "Eine Person hat einen Auftrag endgültig beendet; der Rest bleibt, wie er ist.",
        ("job", "counts", "reason"),
    ),
    Kind("job.ended", "Ein Auftrag ist zu Ende: jede Nachricht der Auswahl war an der Reihe.", ("job", "counts")),
    Kind(
        "incident.opened",
        "Eine Störung hat begonnen; der Betrieb wird einmal benachrichtigt.",
        ("incident", "code", "place", "count"),
    ),
    Kind(
        "incident.ended",
        "Eine Störung ist vorbei; der Betrieb wird einmal benachrichtigt.",
        ("incident", "code", "place", "most"),
    ),
    Kind(
        "incident.acknowledged",
        "Eine Person hat sich einer Störung angenommen.",
        ("incident", "code", "place", "reason"),
    ),
    Kind(
        "target.rested",
        "Ein Ziel hat wiederholt nicht geantwortet oder um eine Pause gebeten; es ruht bis zu einer gelungenen Probe.",
        ("target", "code", "failures", "until"),
    ),
    Kind(
        "target.recovered",
        "Ein ruhendes Ziel hat die Probe angenommen; es wird wieder zugestellt.",
        ("target", "rested"),
    ),
    Kind(
        "target.probe-ordered",
        "Eine Person hat verlangt, dass ein ruhendes Ziel sofort erprobt wird.",
        ("target", "reason"),
    ),
    Kind("target.paused", "Eine Person hat ein Ziel angehalten.", ("target", "reason", "until")),
    Kind(
        "target.resumed",
        "Ein angehaltenes Ziel wurde wieder freigegeben: von einer Person, oder weil die gesetzte Zeit um war.",
        ("target", "reason"),
    ),
    Kind(
        "backup.made",
        "Eine Sicherung wurde geschrieben.",
        ("backup", "manifest_sha256", "size", "nachrichten"),
    ),
    Kind(
        "backup.restored",
        "Wiederherstellung aus einer Sicherung; die Ereignisse nach `size` bis `lost_to` sind verloren.",
        ("backup", "manifest_sha256", "size", "lost_to", "lost_head", "lost_until", "doubtful", "reason", "signature"),
    ),
    Kind(
        "clock.accepted",
        "Eine Person hat bestätigt, dass die Uhr nach einem Sprung richtig geht; die Fristen wurden um ihn verschoben.",
        ("doubt", "shift_seconds", "moved", "reason"),
    ),
    Kind("leases.released", "Bearbeitungen beendeter Prozesse wurden beim Start freigegeben.", ("released",)),
)

EVENTS: MappingProxyType[str, Kind] = MappingProxyType({kind.name: kind for kind in _KINDS})

if len(EVENTS) != len(_KINDS):
    raise ValueError("an event is defined twice")
