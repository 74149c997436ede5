"""A few pictures at a time, on their way from a reader."""

from typing import NamedTuple

import numpy as np


class Fault(NamedTuple):
    """A picture that could not be had, in its place among the others.

    Attributes:
        reason: Why, in a few words; pictures are counted by it.
    """

    reason: str


Batch = list[bytes | Fault] | np.ndarray
