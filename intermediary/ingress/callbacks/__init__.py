"""The door of `[callbacks]`: targets tell their verdicts by themselves, instead of being asked every few minutes."""
