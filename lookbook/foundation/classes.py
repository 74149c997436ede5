"""When classes are so unequal that they are made to count alike."""

from collections.abc import Iterable

UNEQUAL = 3  # times as many pictures in the largest class as in the smallest


def are_unequal(counts: Iterable[int]) -> bool:
    """Return whether the largest class has at least three times the pictures of the smallest."""
    numbers = list(counts)
    return max(numbers) >= UNEQUAL * max(1, min(numbers))
