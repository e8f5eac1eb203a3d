"""What the process of a vendor's connector may cost."""

from __future__ import annotations

from pydantic import Field

from intermediary.settings.kinds import Count
from intermediary.settings.table import Table


class Lane(Table):
    """Limits of the processes that vendors' connectors run in (docs/howto/lanes.md); ours run in the workers."""

    deliver_seconds: Count = Field(
        default=900,
        description="After so long a delivery is broken off and its process ended; whether it arrived is unclear then.",
    )
    ask_seconds: Count = Field(
        default=60, description="The same for what only looks: a look-up, a verdict, a probe. Nothing is unclear then."
    )
    memory_megabytes: int = Field(
        default=512,
        strict=True,
        ge=64,
        le=65_536,
        description="So much memory one process may use; more is refused to it. There is one per target and Zustellung at a "
        "time.",
    )
