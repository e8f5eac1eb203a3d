"""The doors: each makes a Nachricht durable through `take`, and only then tells anyone that it has it (promise G1)."""
