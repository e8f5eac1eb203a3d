"""Ways on which people are told of incidents: the log, a webhook, mail."""

from intermediary.daemon.alerts.way import Letter, NotTold, Way

__all__ = ["Letter", "NotTold", "Way"]
