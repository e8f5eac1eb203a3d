"""What a supplier says of a request: the codes of OSCI 1.2 with German texts, and their XML (§15)."""

from __future__ import annotations

from collections.abc import Sequence

from intermediary.osci.write.markup import attribute, element, text
from intermediary.unseal.osci.feedback import Entry

TEXTS: dict[str, str] = {
    "0800": "Auftrag ausgeführt, Dialog beendet",
    "0801": "Auftrag ausgeführt, Dialog weiterhin geöffnet",
    "3500": "Chiffrierzertifikat des Clients ist zeitlich nicht gültig",
    "3501": "Prüfung des Chiffrierzertifikats des Clients konnte nicht vollständig durchgeführt werden",
    "3700": "Signaturzertifikat des Clients ist zeitlich nicht gültig",
    "3701": "Signaturzertifikat eines Autors ist zeitlich nicht gültig",
    "3702": "Signatur über das Signaturzertifikat eines Autors ist fehlerhaft",
    "3703": "Signaturzertifikat eines Autors ist gesperrt",
    "3704": "Chiffrierzertifikat eines Autors ist zeitlich nicht gültig",
    "3705": "Chiffrierzertifikat des Empfängers ist zeitlich nicht gültig",
    "3706": "Chiffrierzertifikat eines Lesers ist zeitlich nicht gültig",
    "3707": "Zertifikatsprüfung konnte nicht vollständig durchgeführt werden",
    "3708": "Signaturzertifikat des Empfängers ist zeitlich nicht gültig",
    "3800": "Es liegen weitere Zustellungen für diesen Client vor",
    "3801": "Es liegen weitere Laufzettel für diesen Client vor",
    "3802": "Signatur der Antwort des Empfängers fehlt",
    "3803": "Antwort des Empfängers ist nicht verschlüsselt",
    "3950": "Rückmeldung zur inneren Nachricht liegt vor",
    "3951": "Verarbeitungszeit der paketierten Nachricht ist überschritten",
    "3952": "Innere Nachricht ist noch in Bearbeitung",
    "9000": "Interner Fehler beim Supplier",
    "9100": "Aufbau der Nachricht entspricht nicht OSCI 1.2",
    "9200": "Privater Schlüssel zum Transportzertifikat ist nicht vorhanden",
    "9201": "Chiffrierzertifikat des Suppliers ist gesperrt",
    "9202": "Auftragsdaten konnten nicht entschlüsselt werden",
    "9300": "Auftragsdaten enthalten keinen zulässigen Auftrag",
    "9400": "ConversationId oder SequenceNumber oder Response nicht korrekt",
    "9500": "Chiffrierzertifikat des Clients fehlt",
    "9501": "Signatur über das Chiffrierzertifikat des Clients ist fehlerhaft",
    "9502": "Chiffrierzertifikat des Clients ist gesperrt",
    "9503": "Interner Fehler bei der Prüfung des Chiffrierzertifikats des Clients",
    "9600": "Auftrag ist nicht signiert",
    "9601": "Signatur über Auftrag ist fehlerhaft",
    "9602": "Nicht alle relevanten Teile des Auftrags sind signiert",
    "9603": "Interner Fehler bei der Prüfung der Signatur",
    "9700": "Signatur über das Signaturzertifikat des Clients ist fehlerhaft",
    "9701": "Signaturzertifikat des Clients ist gesperrt",
    "9704": "Signatur über das Chiffrierzertifikat eines Autors ist fehlerhaft",
    "9705": "Chiffrierzertifikat eines Autors ist gesperrt",
    "9706": "Signatur über das Chiffrierzertifikat des Empfängers ist fehlerhaft",
    "9707": "Chiffrierzertifikat des Empfängers ist gesperrt",
    "9708": "Signatur über das Chiffrierzertifikat eines Lesers ist fehlerhaft",
    "9709": "Chiffrierzertifikat eines Lesers ist gesperrt",
    "9710": "Interner Fehler bei der Zertifikatsprüfung",
    "9711": "Signatur über das Signaturzertifikat des Empfängers ist fehlerhaft",
    "9712": "Signaturzertifikat des Empfängers ist gesperrt",
    "9800": "Zustellung ohne MessageId wird abgelehnt",
    "9801": "MessageId ist unzulässig oder bereits verwendet",
    "9802": "Auftrag ist nur im expliziten Dialog zulässig",
    "9803": "Zu den im Auftrag angegebenen Kriterien ist keine Zustellung vorhanden",
    "9804": "Zu den im Auftrag angegebenen Kriterien ist kein Laufzettel vorhanden",
    "9805": "Zustellung wurde vom Empfänger nicht angenommen",
    "9806": "Zustellung wurde angenommen, die Antwort enthält keine Zustellung",
    "9807": "Signatur über die Antwort des Empfängers ist fehlerhaft",
    "9808": "Interner Fehler beim Empfänger",
    "9809": "Interner Fehler bei der Weiterleitung, die Zustellung ist nicht erfolgt",
    "9810": "Interner Fehler bei der Weiterleitung, die Zustellung ist erfolgt",
    "9811": "Interner Fehler beim Supplier bei der Ausführung des Auftrags",
    "9900": "Paket ist bereits eingegangen",
    "9901": "Paketnummer ist nicht zulässig",
    "9902": "Größe des Pakets liegt über der zulässigen Grenze",
    "9903": "Größe des Pakets liegt unter der zulässigen Grenze",
    "9904": "Größe der Nachricht liegt über der zulässigen Grenze",
    "9905": "Paketinformation ist fehlerhaft",
    "9950": "Rückmeldung zur inneren Nachricht enthält einen Fehler",
}
"""Every code of digest §15 with the text we send."""


def entry(code: str) -> Entry:
    """The line of a feedback for this code, in German. KeyError for a code OSCI 1.2 does not know."""
    return Entry(code, TEXTS[code], "de")


def feedback_xml(entries: Sequence[Entry], name: str = "osci:Feedback") -> str:
    """The Feedback, or under its own name the InsideFeedback; an entry without language is taken to be German."""
    return element(name, "".join(_entry(one) for one in entries))


def _entry(one: Entry) -> str:
    said = element("osci:Code", text(one.code)) + element("osci:Text", text(one.text))
    return element("osci:Entry", said, f' xml:lang="{attribute(one.language or "de")}"')
