"""`python -m intermediary`."""

from intermediary.cli.main import main

main()
