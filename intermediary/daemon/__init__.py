"""The daemon: a supervisor that parses nothing, and the child processes that do the work (DESIGN §2.10).

`supervisor` starts and watches, `child` is what a child process runs, `chores` is what the supervisor does besides:
sealing the audit trail, freeing dead leases, noticing a changed configuration. `jobs` carries out jobs.
"""
