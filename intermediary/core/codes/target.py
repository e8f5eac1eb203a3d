"""Codes of what a target says or fails to say over a network; connectors raise them."""

from intermediary.core.codes.code import Code, Healer

CODES = (
    Code(
        "target.library.missing",
        Healer.OPERATOR,
        "Dem Connector fehlt eine Bibliothek, die nicht zur Grundausstattung gehört.",
        "Die genannte Erweiterung installieren und den Dienst neu starten.",
    ),
    Code(
        "target.hostkey",
        Healer.OPERATOR,
        "Der SSH-Server des Ziels weist sich mit einem Schlüssel aus, der nicht hinterlegt ist; es wurde nichts gesendet.",
        "Den genannten Fingerabdruck mit dem Betreiber des Ziels auf anderem Weg vergleichen. Stimmt er, in `host_key` (oder "
        "`known_hosts`) eintragen; sonst antwortet ein fremder Rechner.",
    ),
    Code(
        "target.tls",
        Healer.OPERATOR,
        "Die gesicherte Verbindung (TLS) zum Ziel kommt nicht zustande: Ein Zertifikat wird nicht anerkannt oder ist nicht lesbar.",
        "Zertifikat des Ziels, `ca_file` und das eigene Client-Zertifikat prüfen (`doctor`); die Zustellung läuft danach von "
        "selbst weiter.",
    ),
    Code(
        "target.credentials",
        Healer.OPERATOR,
        "Das Ziel nimmt unsere Anmeldung nicht an, oder eine Geheimnisdatei ist nicht lesbar.",
        "Zugangsdaten in der Geheimnisdatei und Rechte des Zugangs beim Ziel prüfen (`doctor`); die Zustellung läuft danach von "
        "selbst weiter.",
    ),
    Code(
        "target.http",
        Healer.OPERATOR,
        "Unter der Adresse des Ziels antwortet nicht, was die Einstellungen beschreiben (HTTP-Status oder Umleitung).",
        "Adresse, Methode und erwartete Statuscodes des Ziels prüfen; umgeleitet wird nie. Die Zustellung läuft danach von selbst "
        "weiter.",
    ),
    Code(
        "target.no-answer",
        Healer.TARGET,
        "Gesendet wurde, aber das Ziel hat nicht oder nur mit einem Fehler geantwortet; vielleicht ist es angekommen.",
        "Beim Ziel nachsehen, dann `decide ID/ZIEL confirm-delivered --proof …` oder `decide ID/ZIEL send-again`.",
    ),
    Code(
        "target.answer.too-large",
        Healer.TARGET,
        "Die Antwort des Ziels ist größer als erlaubt und wurde nicht gelesen; vielleicht ist die Zustellung angekommen.",
        "Beim Ziel nachsehen, dann `decide ID/ZIEL confirm-delivered --proof …` oder `decide ID/ZIEL send-again`; ist die Antwort "
        "immer so groß, `max_answer_bytes` erhöhen.",
    ),
    Code(
        "target.answer.unreadable",
        Healer.TARGET,
        "Das Ziel hat geantwortet, aber nicht in der vereinbarten Form; vielleicht ist die Zustellung angekommen.",
        "Beim Ziel nachsehen, dann `decide ID/ZIEL confirm-delivered --proof …` oder `decide ID/ZIEL send-again`; kommt es öfter "
        "vor, die Einstellungen der Antwort prüfen.",
    ),
    Code(
        "target.unroutable",
        Healer.OPERATOR,
        "Der Broker des Ziels hat keine Warteschlange für die Nachricht, oder der Exchange fehlt; es wurde nichts abgelegt.",
        "Exchange, Bindung und Warteschlange beim Ziel einrichten oder `exchange` und `routing_key` berichtigen; die Zustellung "
        "läuft danach von selbst weiter.",
    ),
    Code(
        "target.wsdl",
        Healer.OPERATOR,
        "Die WSDL des Ziels ist nicht lesbar, verweist auf Fremdes, oder Operation und Argumente passen nicht zu ihr.",
        "WSDL und alles, was sie einbindet, in einen Ordner legen (es wird nie etwas geladen) und `operation`, `port` und "
        "`arguments` berichtigen; `doctor` nennt den Fundort.",
    ),
    Code(
        "target.fault",
        Healer.TARGET,
        "Das Ziel hat mit einem SOAP-Fault geantwortet, dessen Bedeutung nicht vereinbart ist; vielleicht ist es angekommen.",
        "Beim Ziel nachsehen, dann `decide ID/ZIEL confirm-delivered --proof …` oder `decide ID/ZIEL send-again`; sagt der "
        "Hersteller, was der Fault bedeutet, ihn unter `faults` eintragen.",
    ),
)
