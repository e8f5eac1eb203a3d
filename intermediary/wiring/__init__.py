"""Builds everything from the settings: the only place where rooms meet.

`open_installation` gives what is made once per process (store, keys); `Configuration` gives what may change while the
daemon runs (routes, keyrings, schemas) and makes it anew when a file has changed; `bench` gives what one worker thread
works with; `open_doors` and `all_answers` give the channels' ways in and back.
"""

from intermediary.wiring.configuration import Configuration, own_schemas, read_routes
from intermediary.wiring.doors import all_answers, door_rules, open_answers, open_doors, probe_post_boxes
from intermediary.wiring.installation import (
    SIGNING_KEY,
    Installation,
    copy_rows,
    installation_id,
    judge_time,
    look_at_database,
    look_at_targets,
    look_into_installation,
    mandant_keys,
    open_installation,
    signing_key,
    spool_folder,
    store_place,
    store_url,
)
from intermediary.wiring.plugins import connectors
from intermediary.wiring.time import Timekeeper, utc_now
from intermediary.wiring.work import bench

__all__ = [
    "SIGNING_KEY",
    "Configuration",
    "Installation",
    "Timekeeper",
    "all_answers",
    "bench",
    "connectors",
    "copy_rows",
    "door_rules",
    "installation_id",
    "judge_time",
    "look_at_database",
    "look_at_targets",
    "look_into_installation",
    "mandant_keys",
    "open_answers",
    "open_doors",
    "open_installation",
    "own_schemas",
    "probe_post_boxes",
    "read_routes",
    "signing_key",
    "spool_folder",
    "store_place",
    "store_url",
    "utc_now",
]
