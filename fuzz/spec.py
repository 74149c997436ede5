"""The description of the splits, data/processed/spec.json."""

import tempfile
from pathlib import Path

from lookbook.foundation.schema import Choice
from lookbook.splits.spec import Scaling, Spec, read_spec, write_spec


def _made() -> bytes:
    spec = Spec(
        ["cats", "dogs"],
        (8, 8, 1),
        Scaling("unit", [0.5], [0.0]),
        False,
        {"train": 2, "validation": 1, "test": 1},
        {"empty": 1},
        choices={"image_size": Choice(8, "small")},
    )
    with tempfile.TemporaryDirectory() as folder:
        write_spec(Path(folder), spec)
        return Path(folder, "spec.json").read_bytes()


SEEDS = [_made()]


def read(content: bytes, folder: Path) -> None:
    """Read the description."""
    (folder / "spec.json").write_bytes(content)
    assert read_spec(folder).num_classes >= 0
