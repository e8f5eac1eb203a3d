"""What no program can carry an application without: opening it, reading, checking and mapping its payload."""

from __future__ import annotations

import uuid
from functools import partial
from pathlib import Path
from time import process_time

from lxml import etree

import mappings
from bench.primitives import Primitives, Step
from intermediary.core.ports import Antrag, Kontext
from intermediary.core.values import MemoryContent
from intermediary.ingress.doors import OSCI_MIME
from intermediary.mapping.run import run_mapping
from intermediary.testing.demo_proof import MAPPING
from intermediary.testing.demo_site import MANDANT, Site
from intermediary.validate.payload import find_payload
from intermediary.wiring import Configuration, open_installation, utc_now
from intermediary.xml.parser import Element

_TIMES = 50
_SCHEMA = Path(mappings.__path__[0]) / "bewohnerparken" / "schema" / "bewohnerparken.xsd"


class Essentials:
    """The primitives of one message (`bench/primitives.py`), then bare lxml on its payload and the mapping itself."""

    def __init__(self, message: bytes, site: Site, *, reader: str) -> None:
        members = site.pki.members
        primitives = Primitives(
            message,
            transport=members["recipient-cipher"].private,
            reader=members[reader].private,
            signers=[members["intermediary-signature"].certificate, members["author-signature"].certificate],
        )
        self._steps: dict[str, Step] = {"opening": primitives.run, **_beyond_opening(message, site)}

    def cpu_ms(self) -> dict[str, float]:
        """CPU milliseconds of one message by kind of work, now and on this machine."""
        found = {}
        for kind, step in self._steps.items():
            started = process_time()
            for _ in range(_TIMES):
                step()
            found[kind] = 1000 * (process_time() - started) / _TIMES
        return found


def _beyond_opening(message: bytes, site: Site) -> dict[str, Step]:
    installation = open_installation(site.config)
    bank = Configuration(installation.settings).bank()
    opened = bank.schluessel[MANDANT].open(
        MemoryContent(message), content_type=OSCI_MIME, at=utc_now(), circle=bank.circles.of(""), spool=bank.spool
    )
    payload = find_payload(opened, bank.knows)
    with payload.part.content.open() as stream:
        document = stream.read()
    route = bank.table.routes[0]
    kontext = Kontext(key=str(uuid.uuid4()), mandant=MANDANT, received_at=utc_now(), settings=route.settings)
    antrag = Antrag(opened, payload.part, payload.tree, payload.rest)
    plugin = bank.mappings.get(MAPPING)
    schema = etree.XMLSchema(etree.parse(_SCHEMA))
    installation.store.close()
    return {
        "payload parse": partial(etree.fromstring, document),
        "XSD": partial(_validate, schema, payload.tree),
        "map": partial(run_mapping, plugin, antrag, kontext),
    }


def _validate(schema: etree.XMLSchema, tree: Element) -> None:
    if not schema.validate(tree):
        raise AssertionError("the payload is not valid")
