"""OSCI as the one who asks: dialogs with an intermediary, fetching from post boxes, sending."""
