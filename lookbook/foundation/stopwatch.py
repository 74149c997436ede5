"""How long trainings took on this machine: kept out of metrics, which hold no times.

metrics/times.json is neither an output of a stage nor in Git, so that results stay the same bytes.
"""

import json
from pathlib import Path

from lookbook.foundation.files import write_json

TIMES = Path("metrics/times.json")


def note(name: str, seconds: float) -> None:
    """Keep how long a training took."""
    write_json(TIMES, noted() | {name: round(seconds, 1)})


def noted() -> dict[str, float]:
    """Return the seconds of each training on this machine, by name; a damaged file has none."""
    try:
        return json.loads(TIMES.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
