"""Codes of the engine itself: what only a developer, an operator or time can heal, at any stage."""

from intermediary.core.codes.code import Code, Healer

CODES = (
    Code(
        "bug.unexpected",
        Healer.DEVELOPER,
        "Das Programm hat einen Fehler, mit dem niemand gerechnet hat.",
        "Fehlerkennung und Version an die Entwickler geben; nach der Berichtigung `replay`.",
    ),
    Code(
        "suspect",
        Healer.DEVELOPER,
        "Die Bearbeitung brach mehrfach ab, ohne ein Ergebnis zu hinterlassen.",
        "Protokoll des Arbeitsprozesses prüfen; danach `decide ID resume`.",
    ),
    Code(
        "poison.crash",
        Healer.DEVELOPER,
        "Die Nachricht hat den Arbeitsprozess, der sie allein bearbeitete, zweimal zum Absturz gebracht.",
        "Protokollzeilen `suspect.opened` (nennt die Id) und `child.died` mit der Version an die Entwickler geben, nie die Nachricht: "
        "Sie ist ein Antrag. Nach der Berichtigung `decide ID resume`.",
    ),
    Code(
        "clock.untrusted",
        Healer.OPERATOR,
        "Die Uhr ist gesprungen: Es wird nichts angenommen und nichts zugestellt, bis die Zeit feststeht.",
        "Zeitabgleich (NTP) prüfen; sobald die Uhr wieder stimmt, geht es von selbst weiter. Stimmt die neue Zeit: "
        "`doctor --accept-clock --reason …`.",
    ),
    Code(
        "payload.corrupt",
        Healer.OPERATOR,
        "Die gespeicherten Bytes stimmen nicht mit der Prüfsumme der Annahme überein.",
        "Aus der Sicherung wiederherstellen, danach `decide ID resume`; der Datenträger ist zu prüfen.",
    ),
    Code(
        "payload.missing",
        Healer.OPERATOR,
        "Die gespeicherten Bytes dieser Nachricht sind nicht zu finden.",
        "Prüfen, ob der Datenordner eingehängt und vollständig ist (`blobs`); sonst aus der Sicherung zurückholen. Die Nachricht "
        "läuft danach von selbst weiter.",
    ),
    Code(
        "payload.erased",
        Healer.OPERATOR,
        "Der Inhalt dieser Nachricht ist gelöscht (Aufbewahrungsfrist oder Löschung).",
        "Der Sender muss neu einreichen.",
    ),
    Code(
        "retention.overdue",
        Healer.OPERATOR,
        "Angehaltene Nachrichten liegen länger als ihre Aufbewahrungsfrist; ihr Inhalt wird nicht von selbst gelöscht.",
        "`retention plan` nennt sie, `list state=parked` zeigt sie: fortsetzen, ablehnen oder verwerfen (`decide`), oder eine "
        "Löschsperre setzen (`hold set`).",
    ),
    Code(
        "key.unavailable",
        Healer.OPERATOR,
        "Ein Schlüssel dieser Installation lässt sich nicht öffnen.",
        "Schlüsseldatei oder HSM, Kennwortdatei und Rechte prüfen (`keys list`). Läuft der Dienst, geht es danach von selbst weiter; "
        "sonst den Dienst starten.",
    ),
    Code(
        "key.token.failed",
        Healer.TIME,
        "Das Schlüsselmodul (HSM, PKCS#11-Token) hat einen Fehler gemeldet oder antwortet nicht.",
        "Wird von selbst wiederholt. Bleibt es dabei: Modul, Verbindung und dessen Protokoll prüfen (`keys list`).",
    ),
    Code(
        "key.reader.missing",
        Healer.OPERATOR,
        "Keiner der Leserschlüssel des Mandanten öffnet diese Sendung.",
        "Fehlt ein Schlüssel im Schlüsselbund (neuer oder alter): dazustellen, es geht von selbst weiter. Sonst `decide ID reject`.",
    ),
    Code(
        "person.rejected",
        Healer.SENDER,
        "Die zuständige Stelle hat den Antrag nach Prüfung abgelehnt.",
        "Bei der zuständigen Stelle nachfragen.",
    ),
    Code(
        "person.discarded",
        Healer.OPERATOR,
        "Die Nachricht wurde von einer Person verworfen.",
        "Nichts; der Grund steht im Audit.",
    ),
    Code(
        "job.errors",
        Healer.OPERATOR,
        "Der Auftrag hat sich selbst angehalten: zu viele seiner Nachrichten schlugen fehl oder kamen zurück.",
        "`jobs show ID` nennt die Gründe. Ursache beheben, dann `jobs resume ID`, oder `jobs stop ID`.",
    ),
    Code(
        "job.item.busy",
        Healer.TIME,
        "Die Nachricht wurde so lange bearbeitet, dass der Auftrag sie ausgelassen hat.",
        "Wenn sie wieder frei ist, einzeln wiederholen: `replay ID`.",
    ),
    Code(
        "store.unavailable",
        Healer.TIME,
        "Die Datenbank oder der Datenträger der Installation antwortet zurzeit nicht.",
        "Wird von selbst wiederholt. Bleibt es dabei: Datenbank (`doctor`), freien Platz, Rechte und Zustand des Datenträgers prüfen.",
    ),
    Code(
        "store.absent",
        Healer.OPERATOR,
        "Hier ist noch kein Speicher einer Installation; es wurde auch keiner angelegt.",
        "Der Dienst (`run`) oder `submit` beginnt ihn. Lief er schon: die Konfiguration prüfen (`installation.data`, "
        "`store.url_file`), und ob der Datenträger eingebunden ist.",
    ),
    Code(
        "store.url.invalid",
        Healer.OPERATOR,
        "In der Datei `store.url_file` steht keine Adresse einer PostgreSQL-Datenbank.",
        "Eine Zeile der Form postgresql://BENUTZER:KENNWORT@RECHNER:PORT/DATENBANK eintragen.",
    ),
    Code(
        "store.moved",
        Healer.OPERATOR,
        "Dieser Speicher wurde mit `store copy` an einen anderen Ort übertragen und arbeitet nicht mehr.",
        "Mit der Konfiguration starten, die den neuen Ort nennt; am alten liegt nur noch dieser Vermerk.",
    ),
    Code(
        "store.copy.in-use",
        Healer.OPERATOR,
        "Der Speicher wird noch benutzt und lässt sich nicht übertragen.",
        "Alle Dienste dieser Installation auf beiden Seiten anhalten, dann `store copy` wiederholen.",
    ),
    Code(
        "store.copy.not-empty",
        Healer.OPERATOR,
        "Das Ziel der Übertragung enthält schon etwas anderes.",
        "Eine leere Datenbank und ein leeres Datenverzeichnis angeben; nichts wurde verändert.",
    ),
    Code(
        "store.copy.differs",
        Healer.OPERATOR,
        "Nach der Übertragung stimmen Quelle und Ziel nicht überein; sie wurde rückgängig gemacht.",
        "Alle Dienste anhalten und wiederholen. Bleibt es dabei: die Datenträger prüfen.",
    ),
    Code(
        "store.server.unfit",
        Healer.OPERATOR,
        "Der Datenbankserver eignet sich nicht für diese Fassung des Programms.",
        "PostgreSQL 15 oder neuer betreiben (docs/howto/postgresql.md); `doctor` nennt, was fehlt.",
    ),
    Code(
        "store.driver.missing",
        Healer.OPERATOR,
        "Für PostgreSQL fehlt der Treiber psycopg.",
        "Das Paket mit seinem Zusatz installieren: pip install 'xta-osci-intermediary[postgresql]'.",
    ),
    Code(
        "store.installation.differs",
        Healer.OPERATOR,
        "Das Datenverzeichnis gehört zu einer Installation mit anderem Namen.",
        "Den Namen der Installation oder das Datenverzeichnis in der Konfiguration berichtigen.",
    ),
    Code(
        "store.version.unknown",
        Healer.OPERATOR,
        "Die Datenbank wurde von einer neueren Fassung des Programms geschrieben.",
        "Die neuere Fassung installieren, oder die Sicherung von vor der Umstellung einspielen.",
    ),
    Code(
        "restore.not-empty",
        Healer.OPERATOR,
        "Am Ziel der Wiederherstellung liegt schon ein Speicher mit Inhalt.",
        "Ein leeres Datenverzeichnis und eine leere Datenbank angeben; nichts wurde verändert.",
    ),
    Code(
        "restore.key.missing",
        Healer.OPERATOR,
        "Der Schlüssel, der die Köpfe des Audits signiert, liegt nicht im Datenverzeichnis.",
        "Mit `--audit-key DATEI` angeben; ist er verloren: `--new-audit-key` (docs/howto/backup.md).",
    ),
    Code(
        "restore.key.other",
        Healer.OPERATOR,
        "Im Datenverzeichnis liegt schon ein anderer Schlüssel des Audits als der, mit dem gesichert wurde; nach einem "
        "Verlust hat ihn meist ein Befehl neu angelegt.",
        "Das Datenverzeichnis umbenennen, nicht löschen, und mit `--audit-key DATEI` noch einmal rufen.",
    ),
    Code(
        "backup.unusable",
        Healer.OPERATOR,
        "Die Sicherung ist unvollständig, verändert oder keine dieser Installation.",
        "`restore --check` nennt jeden Mangel; sonst eine andere Sicherung nehmen.",
    ),
    Code(
        "backup.failed",
        Healer.OPERATOR,
        "Die Sicherung konnte nicht geschrieben werden.",
        "Ordner, Rechte und freien Platz prüfen; die vorige Sicherung ist unberührt.",
    ),
    Code(
        "audit.second-place",
        Healer.TIME,
        "Der signierte Stand des Audits konnte nicht an den zweiten Ort geschrieben werden.",
        "Wird von selbst wiederholt. Bleibt es dabei: Ordner audit.heads_folder und seine Rechte prüfen.",
    ),
    Code(
        "audit.syslog",
        Healer.TIME,
        "Der signierte Stand des Audits konnte nicht an den Syslog-Server geschickt werden.",
        "Wird von selbst nachgeholt. Bleibt es dabei: audit.heads_syslog, Server und Weg dorthin prüfen.",
    ),
    Code(
        "audit.unsealed",
        Healer.OPERATOR,
        "Ereignisse des Protokolls stehen länger als vorgesehen unter keinem signierten Stand.",
        "Prüfen, ob ein Dienst läuft und was er meldet (`chore.failed`); `doctor` prüft Schlüssel und zweiten Ort.",
    ),
    Code(
        "audit.key.lost",
        Healer.OPERATOR,
        "Der zweite Ort kennt Köpfe des Audits, aber ihr Schlüssel fehlt: Das Datenverzeichnis ist verloren, leer oder "
        "nicht eingehängt.",
        "Einhängen, oder wiederherstellen (docs/howto/backup.md). Nur wer wirklich neu beginnt, gibt `audit.heads_folder` "
        "einen leeren Ordner.",
    ),
    Code(
        "certificate.ending",
        Healer.OPERATOR,
        "Ein Zertifikat läuft in Kürze ab.",
        "Nachfolger beschaffen und daneben eintragen (docs/howto/keys.md); `doctor` nennt Zertifikat und Tage.",
    ),
    Code(
        "certificate.ended",
        Healer.OPERATOR,
        "Ein Zertifikat ist abgelaufen.",
        "Nachfolger beschaffen und daneben eintragen (docs/howto/keys.md), den alten Schlüssel behalten; `doctor` nennt das "
        "Zertifikat.",
    ),
    Code(
        "daemon.child.dies",
        Healer.DEVELOPER,
        "Ein Prozess des Dienstes endet immer wieder von selbst und wird immer langsamer neu gestartet.",
        "Protokoll des Dienstes (`child.died`) und Systemprotokoll prüfen; mit der Versionsnummer an die Entwickler geben.",
    ),
    Code(
        "alert.undelivered",
        Healer.TIME,
        "Eine Meldung an den Betrieb kommt auf einem der eingestellten Wege nicht an.",
        "Wird von selbst wiederholt. Bleibt es dabei: [alerts] und die Gegenstelle prüfen (`incidents test`).",
    ),
)
