"""What codes of XBau 2.1 mean to people: only lists whose values the schema itself encloses."""

from __future__ import annotations

from types import MappingProxyType

# urn:xoev-de:xbau:codeliste:nebenbestimmungart_1.0
NEBENBESTIMMUNG = MappingProxyType({"1": "Bedingung", "2": "Auflage", "3": "Vorbehalt"})
# urn:xoev-de:xbau:codeliste:abweichungart_1.0
ABWEICHUNG = MappingProxyType({"1": "Befreiung", "2": "Ausnahme", "3": "Abweichung"})
# urn:de:xoev:codeliste:erreichbarkeit_1
KANAL = MappingProxyType({"01": "E-Mail", "02": "Telefon", "03": "Mobiltelefon", "04": "Fax", "08": "De-Mail"})
SONSTIGER_KANAL = "Erreichbar"
