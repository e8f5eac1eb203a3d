"""Health: whether the daemon lives, whether it can take, and its figures; answered by a process of its own."""
