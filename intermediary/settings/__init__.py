"""The configuration of an installation: one TOML file, checked whole before anything starts."""

from intermediary.settings.channels import Channel
from intermediary.settings.finding import ConfigurationError, Finding, Severity
from intermediary.settings.lint import lint
from intermediary.settings.load import load
from intermediary.settings.models import Mandant, Settings

__all__ = ["Channel", "ConfigurationError", "Finding", "Mandant", "Settings", "Severity", "lint", "load"]
