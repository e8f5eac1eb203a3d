"""The command line: one file per group of verbs, all of them a thin face of `operations`."""
