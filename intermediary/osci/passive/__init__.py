"""The passive recipient (digest §17): an HTTPS endpoint to which an OSCI intermediary delivers."""

from intermediary.osci.passive.door import PassiveDoor
from intermediary.osci.passive.settings import PassiveSettings

__all__ = ["PassiveDoor", "PassiveSettings"]
