"""What spec.json says of the splits: classes, shape, scaling, counts, what was dropped."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import write_json
from lookbook.foundation.schema import Choice

PROCESSED = Path("data/processed")


@dataclass(frozen=True)
class Scaling:
    """What models compute from raw pixels before anything else: `x * scale + offset`.

    Attributes:
        name: `unit`, `symmetric`, `standard` or `none`.
        scale: One factor a channel.
        offset: One offset a channel.
    """

    name: str
    scale: list[float]
    offset: list[float]

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Return float32 of the same shape; the last axis is the channels."""
        return pixels * np.asarray(self.scale, np.float32) + np.asarray(self.offset, np.float32)


@dataclass(frozen=True)
class Spec:
    """What spec.json says of the splits.

    Attributes:
        class_names: In label order.
        image_shape: (height, width, channels).
        scaling: See `Scaling`.
        one_hot: Whether targets are one-hot rows rather than class indices.
        counts: Pictures in each split.
        dropped: Pictures left out, counted by reason.
        flips: Whether a picture mirrored left to right is still one of its class.
        choices: What `auto` means for `image_size`, `base` and `class_weights`.
        relabelled: Pictures of each split whose label was changed in a review, or that were
            dropped for it; data/processed/relabelled.csv lists them.
        dataset: The set's name.
    """

    class_names: list[str]
    image_shape: tuple[int, int, int]
    scaling: Scaling
    one_hot: bool
    counts: dict[str, int]
    dropped: dict[str, int]
    flips: bool = False
    choices: dict[str, Choice] = field(default_factory=dict)
    relabelled: dict[str, int] = field(default_factory=dict)
    dataset: str = ""

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    def chosen(self, name: str, asked: str) -> str:
        """Return what a parameter asks for, or what the data say where that is `auto`."""
        return str(self.choices[name].value) if asked == "auto" else asked

    def shrinking(self, largest: int) -> int:
        """Return the side of the squares to average for pictures of at most `largest` pixels."""
        return -(-self.image_shape[0] // largest)


def unscaled_spec(
    class_names: list[str], image_shape: tuple[int, int, int], one_hot: bool, splits: np.ndarray
) -> Spec:
    """Return what is known of the splits while they are made: no scaling, nothing dropped.

    Args:
        class_names: In label order.
        image_shape: (height, width, channels).
        one_hot: See `Spec`.
        splits: The split of each picture, as an index into `SPLITS`.
    """
    counts = {name: int((splits == split).sum()) for split, name in enumerate(SPLITS)}
    none = Scaling("none", [1.0] * image_shape[2], [0.0] * image_shape[2])
    return Spec(class_names, image_shape, none, one_hot, counts, {})


def write_spec(folder: Path, spec: Spec) -> None:
    """Write spec.json into the folder of the splits."""
    write_json(folder / "spec.json", asdict(spec))


def read_spec(folder: Path = PROCESSED) -> Spec:
    """Read spec.json.

    Raises:
        LookbookError: If it is missing or damaged.
    """
    path = folder / "spec.json"
    try:
        spec = TypeAdapter(Spec).validate_json(path.read_bytes())
        if set(spec.counts) != set(SPLITS) or min(*spec.counts.values(), *spec.image_shape) < 0:
            raise ValueError("other counts or another shape")
        return spec
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        received = f"{where}: {fault['msg']}" if where else fault["msg"]
    except (FileNotFoundError, ValueError) as error:
        received = str(error)
    raise damaged(path, "the description of the splits", received)


def damaged(path: Path, expected: str, received: object) -> LookbookError:
    """Return the error for a file of the splits that is not what it should be."""
    return LookbookError(
        f"Expected {expected} in {path}. Received: {received}. Run `dvc repro preprocess`."
    )


SPLITS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
