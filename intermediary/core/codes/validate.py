"""Codes of validate and of the schema packages it works with."""

from intermediary.core.codes.code import Code, Healer

CODES = (
    Code(
        "validate.input.invalid",
        Healer.SENDER,
        "Der Antrag entspricht nicht seinem Schema.",
        "Die Befunde nennen Stelle und Regel; der Sender muss den Antrag berichtigen und neu einreichen.",
    ),
    Code(
        "validate.attachment.refused",
        Healer.SENDER,
        "Eine Anlage ist von einer Art oder Größe, die hier nicht angenommen wird.",
        "Die Befunde nennen Stelle und Regel; der Sender muss die Anlagen ändern und neu einreichen.",
    ),
    Code(
        "validate.payload.missing",
        Healer.SENDER,
        "Die Sendung enthält kein Dokument in XML oder JSON, das ein Antrag sein könnte.",
        "Der Sender muss die Fachdaten als XML oder JSON beilegen.",
    ),
    Code(
        "validate.schema.missing",
        Healer.OPERATOR,
        "Für das Wurzelelement der Nachricht ist kein Schema installiert.",
        "Das Paket des Standards mit `schemas install` einspielen, für JSON das Schema unter `[route.files]` als `jsonschema`"
        " nennen; die Nachricht läuft danach von selbst weiter.",
    ),
    Code(
        "validate.schema.version",
        Healer.OPERATOR,
        "Die Nachricht nennt eine Fassung des Standards, die nicht installiert ist.",
        "Das Paket dieser Fassung mit `schemas install` einspielen; die Nachricht läuft danach von selbst weiter.",
    ),
    Code(
        "validate.schema.ambiguous",
        Healer.OPERATOR,
        "Mehrere installierte Pakete beschreiben dasselbe Wurzelelement.",
        "Eines der genannten Pakete entfernen oder in seinem package.toml die Wurzelelemente (`roots`) eingrenzen.",
    ),
    Code(
        "validate.schema.broken",
        Healer.OPERATOR,
        "Ein installiertes Schema lässt sich nicht übersetzen oder bricht bei der Prüfung ab.",
        "Das genannte Paket prüfen (`schemas verify`) und eine berichtigte Fassung einspielen.",
    ),
    Code(
        "validate.schema.import",
        Healer.OPERATOR,
        "Ein Schema bindet eine Datei ein, die in keinem installierten Paket liegt.",
        "Das fehlende Paket einspielen und unter `requires` nennen; nachgeladen wird nichts.",
    ),
    Code(
        "validate.schema.forbidden",
        Healer.OPERATOR,
        "Ein Schema enthält etwas Unzulässiges: DTD, Entität, Dateiverweis oder XSD-1.1-Regel.",
        "Das Paket nicht verwenden, sondern beim Herausgeber der Datei nachfragen.",
    ),
    Code(
        "validate.schema.defect",
        Healer.OPERATOR,
        "Eine Regel des Schemas ist fehlerhaft veröffentlicht; sie weist auch richtige Angaben zurück.",
        "Dem Herausgeber des Schemas melden. Bis zur Berichtigung müssen Sender die Angabe weglassen.",
    ),
    Code(
        "validate.codelist.missing",
        Healer.OPERATOR,
        "Die Nachricht verwendet eine Codeliste, die geprüft werden muss und nicht installiert ist.",
        "Die genannte Liste mit `schemas install` einspielen; die Nachricht läuft danach von selbst weiter.",
    ),
    Code(
        "validate.codelist.version",
        Healer.OPERATOR,
        "Die Nachricht verwendet eine Codeliste in einer Fassung, die nicht installiert ist.",
        "Die genannte Fassung mit `schemas install` einspielen; gibt es sie nicht, die Nachricht zurückweisen.",
    ),
    Code(
        "validate.codelist.broken",
        Healer.OPERATOR,
        "Eine Datei ist keine brauchbare Codeliste im Format genericode.",
        "Der genannte Grund gilt der Datei; die Liste neu vom Herausgeber beziehen.",
    ),
    Code(
        "validate.codelist.ambiguous",
        Healer.OPERATOR,
        "Zwei installierte Pakete bringen dieselbe Codeliste in derselben Fassung mit verschiedenen Codes mit.",
        "Eines der genannten Pakete entfernen; vorher beim Herausgeber klären, welche Codes gelten.",
    ),
    Code(
        "validate.rules.engine",
        Healer.OPERATOR,
        "Regeln in XSLT 2 oder 3 sind nicht gelaufen: Der Prozessor dafür (saxonche) ist nicht installiert.",
        "Das Programm mit dem Zusatz `saxon` installieren; die Nachricht läuft danach von selbst weiter.",
    ),
    Code(
        "validate.rules.broken",
        Healer.OPERATOR,
        "Regeln (Schematron oder Szenarien) lassen sich nicht übersetzen oder sind bei der Prüfung abgebrochen.",
        "Die genannte Datei prüfen oder dem Herausgeber melden und eine berichtigte Fassung des Pakets einspielen.",
    ),
    Code(
        "validate.rules.forbidden",
        Healer.OPERATOR,
        "Regeln verlangen etwas Unzulässiges: DTD, Dateien, Netz oder Funktionen außerhalb von XSLT.",
        "Das Paket nicht verwenden, sondern beim Herausgeber der Datei nachfragen.",
    ),
    Code(
        "validate.rules.limit",
        Healer.OPERATOR,
        "Die Prüfung durch Regeln hat ihre Grenzen für Zeit, Speicher oder Ausgabe erreicht und wurde beendet.",
        "Das genannte Regelwerk und die Größe der Nachricht ansehen; ohne Ergebnis gilt die Nachricht nicht als gültig.",
    ),
    Code(
        "validate.rules.warning",
        Healer.SENDER,
        "Eine Regel des Standards weist auf etwas hin; der Antrag ist trotzdem gültig.",
        "Nichts zu tun; der Sender kann die Angabe bei der nächsten Einreichung verbessern.",
    ),
    Code(
        "schemas.fetch.refused",
        Healer.OPERATOR,
        "Was unter der Adresse zu holen wäre, wird nicht genommen.",
        "Den genannten Grund klären; das Paket sonst von Hand beziehen und als Datei installieren.",
    ),
    Code(
        "schemas.fetch.failed",
        Healer.OPERATOR,
        "Das Repository gibt die Datei nicht heraus oder antwortet nicht.",
        "URN und Fassung prüfen; die Maschine braucht einen Weg dorthin (ein Proxy wird nicht benutzt). Sonst von Hand beziehen.",
    ),
    Code(
        "validate.package.unknown",
        Healer.OPERATOR,
        "Das Paket ist diesem Programm nicht bekannt, seine Prüfsumme also nicht festgelegt.",
        "Herkunft und Inhalt prüfen, dann mit `schemas install --accept-new --as NAME@VERSION` übernehmen.",
    ),
    Code(
        "validate.package.mismatch",
        Healer.OPERATOR,
        "Das Paket weicht von der festgelegten Prüfsumme ab.",
        "Das Paket neu vom Herausgeber beziehen; ist die Abweichung gewollt, mit `--accept-new` übernehmen.",
    ),
    Code(
        "validate.package.refused",
        Healer.OPERATOR,
        "Ordner oder ZIP-Datei lassen sich nicht als Schemapaket annehmen.",
        "Der genannte Grund gilt der Datei; das Paket neu vom Herausgeber beziehen.",
    ),
    Code(
        "validate.package.manifest",
        Healer.OPERATOR,
        "Die Beschreibung eines Schemapakets (package.toml oder lock.toml) ist fehlerhaft.",
        "Den genannten Eintrag nach docs/reference/schema-packages.md berichtigen.",
    ),
    Code(
        "validate.package.missing",
        Healer.OPERATOR,
        "Ein Schemapaket, das ein anderes braucht, ist nicht installiert.",
        "Das genannte Paket zuerst mit `schemas install` einspielen.",
    ),
    Code(
        "validate.package.changed",
        Healer.OPERATOR,
        "Eine Datei eines installierten Schemapakets fehlt oder wurde verändert.",
        "Das Paket neu einspielen; vorher klären, wer die Dateien verändert hat.",
    ),
)
