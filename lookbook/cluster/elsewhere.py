"""What makes a function again on another machine."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookbook.cluster.conditions import Conditions


@dataclass(frozen=True)
class Elsewhere:
    """What makes a function again on another machine. Its functions are imported there by name.

    Attributes:
        load: From a file to the function.
        name: Of the file, whose suffix may count.
        content: Returns the file's content, which is sent to each worker once.
        conditions: Returns what the bytes of results depend on where it is called: to be the same
            here and there.
    """

    load: Callable[[Path], Callable[[Any], Any]]
    name: str
    content: Callable[[], bytes]
    conditions: Callable[[], Conditions]
