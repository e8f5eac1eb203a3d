"""XTA 2 (2.1.1) as a partner: the wire format, and the dialogs we lead or answer (docs/reference/xta-fetch.md)."""
