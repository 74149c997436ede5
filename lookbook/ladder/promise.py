"""On which machines a run's results come out again to the byte: what its trainings promise."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from lookbook.ladder.rungs import RUNGS, Rung

WORDS = {
    "everywhere": "the same bytes on any x86-64 Linux with AVX2, networks included",
    "machine": "the same bytes on this kind of machine; on others, networks differ by rounding",
}


def promise(read: Callable[[Path], str | bytes], rungs: Sequence[Rung] = RUNGS) -> str:
    """Return `everywhere` if the trainings of all networks promise that, else `machine`.

    Args:
        read: Gives a file's content, by its path in the repository.
        rungs: Of the ladder.
    """
    networks = [rung for rung in rungs if rung.has_curves]
    said = {json.loads(read(rung.metrics)).get("repeatable") for rung in networks}
    return "everywhere" if said == {"everywhere"} else "machine"
