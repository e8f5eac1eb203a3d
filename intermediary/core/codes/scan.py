"""Codes of the virus scan."""

from intermediary.core.codes.code import Code, Healer

CODES = (
    Code(
        "scan.virus.found",
        Healer.SENDER,
        "In der Sendung wurde Schadsoftware gefunden.",
        "Die Befunde nennen Stelle und Signatur. Der Sender muss seinen Rechner prüfen und ohne die Datei neu einreichen.",
    ),
    Code(
        "scan.unavailable",
        Healer.TIME,
        "Der Virenscanner antwortet nicht; ohne ihn wird nichts weitergegeben.",
        "Es wird von selbst wiederholt. Läuft clamd, und stimmt `scan.clamd`? `doctor` zeigt, ob er antwortet.",
    ),
    Code(
        "scan.limit",
        Healer.OPERATOR,
        "Eine Datei ist größer, als der Virenscanner prüft; ungeprüft wird nichts weitergegeben.",
        "`scan.max_bytes` und in clamd.conf StreamMaxLength, MaxScanSize und MaxFileSize gemeinsam erhöhen.",
    ),
)
