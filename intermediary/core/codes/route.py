"""Codes of routing and of the plug-ins a route names."""

from intermediary.core.codes.code import Code, Healer

CODES = (
    Code(
        "route.missing",
        Healer.OPERATOR,
        "Für diese Nachricht ist keine Route eingerichtet.",
        "Eine passende Route in die Routendatei eintragen; die Nachricht läuft danach von selbst weiter.",
    ),
    Code(
        "route.ambiguous",
        Healer.OPERATOR,
        "Mehrere Routen passen gleich gut auf diese Nachricht.",
        "Die Bedingungen der genannten Routen so fassen, dass nur eine passt.",
    ),
    Code(
        "route.signature.required",
        Healer.SENDER,
        "Die Route verlangt eine gültige Signatur, die der Nachricht fehlt.",
        "Der Sender muss die Nachricht so signieren, wie die Route es verlangt.",
    ),
    Code(
        "test.message",
        Healer.OPERATOR,
        "Eine als Test gekennzeichnete Nachricht traf auf ein Ziel des Echtbetriebs.",
        "Eine Route mit stage = \"test\" einrichten, oder die Nachricht mit `decide ID discard` verwerfen.",
    ),
)
