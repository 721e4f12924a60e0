"""The tables that `kineme evaluate` can make, by name."""

from __future__ import annotations

#: name -> (module with `Request`, `run` and `TABLES`, what it measures)
PROTOCOLS: dict[str, tuple[str, str]] = {
    "discovery": (
        "kineme.evaluate.discovery",
        "boundaries, label agreement, purity and probes of atoms and motifs, against their baselines",
    ),
    "search": (
        "kineme.evaluate.search",
        "whether changed copies of a stretch are found among real takes, and how quickly",
    ),
}
