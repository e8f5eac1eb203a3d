"""German sentences for the rules of XML Schema: what the sender has to change, without the value at fault."""

from __future__ import annotations

from types import MappingProxyType

UNKNOWN = "{name} entspricht nicht dem Schema."

HINTS = MappingProxyType(
    {
        "SCHEMAV_CVC_ELT_1": "Das Wurzelelement ist in diesem Schema nicht deklariert.",
        "SCHEMAV_CVC_ELT_2": "{name} ist abstrakt und darf nicht selbst vorkommen.",
        "SCHEMAV_CVC_ELT_3_1": "{name} darf nicht mit xsi:nil leer gemeldet werden.",
        "SCHEMAV_CVC_ELT_3_2_1": "{name} ist mit xsi:nil leer gemeldet, hat aber Inhalt.",
        "SCHEMAV_CVC_ELT_3_2_2": "{name} hat einen festen Wert und darf nicht leer gemeldet werden.",
        "SCHEMAV_CVC_ELT_4_1": "{name}: xsi:type ist kein gültiger Name.",
        "SCHEMAV_CVC_ELT_4_2": "{name}: xsi:type nennt einen unbekannten Typ.",
        "SCHEMAV_CVC_ELT_4_3": "{name}: xsi:type nennt einen Typ, der hier nicht erlaubt ist.",
        "SCHEMAV_CVC_ELT_5_2_2_1": "{name} muss den festen Wert des Schemas haben.",
        "SCHEMAV_CVC_ELT_5_2_2_2_1": "{name} muss den festen Wert des Schemas haben.",
        "SCHEMAV_CVC_ELT_5_2_2_2_2": "{name} muss den festen Wert des Schemas haben.",
        "SCHEMAV_CVC_TYPE_2": "{name} hat einen abstrakten Typ; xsi:type muss einen konkreten nennen.",
        "SCHEMAV_CVC_TYPE_3_1_1": "{name} darf keine Attribute haben.",
        "SCHEMAV_CVC_TYPE_3_1_2": "{name} darf nur Text enthalten, keine Elemente.",
        "SCHEMAV_CVC_COMPLEX_TYPE_2_1": "{name} muss leer sein.",
        "SCHEMAV_CVC_COMPLEX_TYPE_2_2": "{name} darf nur Text enthalten, keine Elemente.",
        "SCHEMAV_CVC_COMPLEX_TYPE_2_3": "{name} darf nur Elemente enthalten, keinen Text.",
        "SCHEMAV_CVC_COMPLEX_TYPE_3_1": "{name}: ein Attribut ist ungültig.",
        "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": "Ein Attribut ist hier nicht erlaubt.",
        "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2": "Ein Attribut ist hier nicht erlaubt.",
        "SCHEMAV_CVC_COMPLEX_TYPE_4": "{name}: ein Pflichtattribut fehlt.",
        "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": "{name} hat nicht den Datentyp, den das Schema verlangt.",
        "SCHEMAV_CVC_DATATYPE_VALID_1_2_2": "{name}: ein Eintrag der Liste hat nicht den verlangten Datentyp.",
        "SCHEMAV_CVC_DATATYPE_VALID_1_2_3": "{name} passt zu keinem der erlaubten Datentypen.",
        "SCHEMAV_CVC_LENGTH_VALID": "{name} hat nicht die vorgeschriebene Länge.",
        "SCHEMAV_CVC_MINLENGTH_VALID": "{name} ist zu kurz.",
        "SCHEMAV_CVC_MAXLENGTH_VALID": "{name} ist zu lang.",
        "SCHEMAV_CVC_MININCLUSIVE_VALID": "{name} liegt unter dem kleinsten erlaubten Wert.",
        "SCHEMAV_CVC_MAXINCLUSIVE_VALID": "{name} liegt über dem größten erlaubten Wert.",
        "SCHEMAV_CVC_MINEXCLUSIVE_VALID": "{name} liegt unter dem kleinsten erlaubten Wert.",
        "SCHEMAV_CVC_MAXEXCLUSIVE_VALID": "{name} liegt über dem größten erlaubten Wert.",
        "SCHEMAV_CVC_TOTALDIGITS_VALID": "{name} hat zu viele Ziffern.",
        "SCHEMAV_CVC_FRACTIONDIGITS_VALID": "{name} hat zu viele Nachkommastellen.",
        "SCHEMAV_CVC_PATTERN_VALID": "{name} entspricht nicht dem vorgeschriebenen Muster.",
        "SCHEMAV_CVC_ENUMERATION_VALID": "{name} ist keiner der erlaubten Werte.",
        "SCHEMAV_CVC_FACET_VALID": "{name} verletzt eine Einschränkung des Datentyps.",
        "SCHEMAV_CVC_AU": "{name} muss den festen Wert des Schemas haben.",
        "SCHEMAV_CVC_IDC": "{name}: ein Schlüssel oder Verweis ist doppelt, fehlt oder führt ins Leere.",
        "SCHEMAV_CVC_WILDCARD": "{name} ist an dieser Stelle nicht erlaubt.",
        "SCHEMAV_CVC_ASSESS_ATTR": "Ein Attribut ist hier nicht erlaubt.",
        "SCHEMAV_CVC_ASSESS_ELEM": "{name} ist an dieser Stelle nicht erlaubt.",
    }
)

MISSING_CHILD = "In {name} fehlt ein Element."
UNEXPECTED_CHILD = "{name} ist an dieser Stelle nicht erlaubt oder steht in falscher Reihenfolge."
CONTENT = "SCHEMAV_ELEMENT_CONTENT"

NO_BASE64 = "{name} enthält Zeichen, die es in Base64 nicht gibt."
EXPECTED = " Erwartet: {names}."
PATTERN = " Muster: {pattern}"
LIMIT = " Grenze: {limit}."

PUBLISHER_DEFECT = (
    "Das Muster im Schema ist fehlerhaft veröffentlicht (doppelter Rückstrich); es weist auch richtige Angaben zurück. "
    "Die Zurückweisung liegt am Herausgeber des Schemas, nicht am Sender."
)
TOO_MANY = "Das Dokument verletzt das Schema an mehr als {limit} Stellen; Einzelheiten wurden nicht ermittelt."
CUT = "Es gibt mehr als {limit} Befunde; die weiteren sind weggelassen."
