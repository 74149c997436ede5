"""Draw each picture's split: train, validation or test."""

import numpy as np

from lookbook.errors import LookbookError

SPLITS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)


def draw_splits(
    *,
    labels: np.ndarray,
    ids: list[str],
    published: list[str],
    class_names: list[str],
    method: str,
    validation_size: float,
    test_size: float,
    seed: int,
) -> np.ndarray:
    """Return the split of each picture, as an index into `SPLITS`.

    Pictures of a published test split stay there; pictures of a published training split are
    shared between training and validation. The others are shared between all three.

    Args:
        labels: Class indices, of shape (n,).
        ids: The pictures' ids.
        published: `train`, `test` or an empty text for each picture.
        class_names: Names of the classes, for the messages.
        method: `stratified` for a seeded shuffle with equal shares of each class, `hash` for a
            draw from the id alone.
        validation_size: Share of the pictures not published as test that validation gets.
        test_size: Share of the pictures without a published split that test gets.
        seed: Of the stratified shuffle.

    Returns:
        int8 of shape (n,).

    Raises:
        LookbookError: If a split that is drawn here would lack a class.
    """
    published = np.array(published)
    drawn = np.full(len(labels), TRAIN, np.int8)
    drawn[published == "test"] = TEST
    for group, group_test_size in (("train", 0.0), ("", test_size)):
        rows = np.flatnonzero(published == group)
        if not len(rows):
            continue
        sizes = {TEST: group_test_size, VALIDATION: validation_size}
        wanted = [TRAIN, *(split for split, size in sizes.items() if size)]
        if method == "hash":
            drawn[rows] = _draw_by_hash([ids[row] for row in rows], sizes)
        else:
            _check_class_sizes(labels[rows], class_names, needed=len(wanted))
            drawn[rows] = _draw_stratified(labels[rows], sizes, seed)
        for split in wanted:
            _check_every_class(labels[rows[drawn[rows] == split]], class_names, SPLITS[split])
    return drawn


def _draw_stratified(labels: np.ndarray, sizes: dict[int, float], seed: int) -> np.ndarray:
    from sklearn.model_selection import train_test_split

    drawn = np.full(len(labels), TRAIN, np.int8)
    rest = np.arange(len(labels))
    fewest = len(np.unique(labels))  # a split smaller than that cannot hold every class
    for split, size in sizes.items():
        if size:
            rest, held_out = train_test_split(
                rest,
                test_size=min(max(round(size * len(labels)), fewest), len(rest) - fewest),
                random_state=seed,
                stratify=labels[rest],
            )
            drawn[held_out] = split
    return drawn


def _draw_by_hash(ids: list[str], sizes: dict[int, float]) -> np.ndarray:
    position = np.array([int(picture_id, 16) / 2**64 for picture_id in ids])  # even over [0, 1)
    drawn = np.full(len(ids), TRAIN, np.int8)
    drawn[position < sizes[TEST] + sizes[VALIDATION]] = VALIDATION
    drawn[position < sizes[TEST]] = TEST
    return drawn


def _check_class_sizes(labels: np.ndarray, class_names: list[str], *, needed: int) -> None:
    counts = np.bincount(labels, minlength=len(class_names))
    if counts.min() < needed:
        raise LookbookError(
            f"Expected at least {needed} pictures of every class, one for each split. Received: "
            f"{counts.min()} of {class_names[counts.argmin()]!r}. Add pictures of it, or take the "
            "class out of the card."
        )


def _check_every_class(labels: np.ndarray, class_names: list[str], split: str) -> None:
    counts = np.bincount(labels, minlength=len(class_names))
    if not counts.all():
        size = "test_size" if split == "test" else "validation_size"
        change = "lower the sizes" if split == "train" else f"raise preprocess.{size}"
        raise LookbookError(
            f"Expected pictures of every class in the {split} split. Received: none of "
            f"{class_names[counts.argmin()]!r}. Add pictures of it, {change}, or set "
            "preprocess.split to stratified."
        )
