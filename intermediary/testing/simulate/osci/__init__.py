"""A simulated OSCI intermediary: post boxes, dialogs, process cards, forwarding and chunks, durable over any kill."""
