"""The migrations, numbered; forward only."""
