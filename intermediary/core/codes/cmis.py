"""Codes of targets that file under names of their own: a DMS, an e-file."""

from intermediary.core.codes.code import Code, Healer

CODES = (
    Code(
        "target.name.taken",
        Healer.OPERATOR,
        "Beim Ziel liegt unter dem vorgesehenen Namen schon ein fremdes Objekt; es wurde nichts überschrieben.",
        "Das Muster des Namens in den Einstellungen des Ziels eindeutig machen (etwa mit `{key}`), oder das Objekt beim Ziel "
        "umbenennen. Die Zustellung läuft danach von selbst weiter.",
    ),
)
