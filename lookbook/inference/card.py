"""The card of an exported model: what there is to know of it, inside its file.

A `.tflite` file with a zip archive behind its end is still one: LiteRT reads from the front, zip
from the back. The archive holds one member, card.json.
"""

import io
import json
import zipfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from lookbook.foundation.errors import LookbookError

FORMAT = 1  # of the card and of the model's inputs and outputs; raised when either changes
MEMBER = "card.json"
MEMBER_BYTES = 2**20  # at most
ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip archive can hold
MAGIC = b"TFL3"  # at byte 4 of LiteRT's files


@dataclass(frozen=True)
class Card:
    """What is known of an exported model.

    Attributes:
        format: Of this card.
        name: The rung's, as `train_cnn`.
        title: What people read.
        is_picked: Whether it is the model that validation data picked.
        class_names: In label order.
        image_size: Height and width of what goes in, in pixels.
        channels: 1 (grey) or 3 (red, green, blue).
        resize: `stretch`, `crop` or `pad`, see `lookbook.pictures.decoding.Form`.
        weights: `float32` or `float16`.
        temperature: That divides the logarithms of the probabilities.
        coverage: The share of pictures whose true class is promised to be in question.
        least_probability: From which calibrated probability on a class is in question.
        kept: The share of validation pictures that are not called strangers.
        most_strangeness: Above it a picture is a stranger; in the model's own unit.
        accuracy: On test pictures: `figure`, `low` and `high` of its 95 % interval, `pictures`.
        model_sha256: Of the model's file in the pipeline.
        data_sha256: Of the pictures and labels that it learnt from.
        versions: Of the packages that made it.
        licences: Of the data and of the base.
    """

    format: int
    name: str
    title: str
    is_picked: bool
    class_names: list[str]
    image_size: int
    channels: int
    resize: str
    weights: str
    temperature: float
    coverage: float
    least_probability: float
    kept: float
    most_strangeness: float
    accuracy: dict[str, float]
    model_sha256: str
    data_sha256: str
    versions: dict[str, str]
    licences: dict[str, str]


def with_card(model: bytes, card: Card) -> bytes:
    """Return a `.tflite` file with its card, the same bytes for the same content."""
    file = io.BytesIO(model)
    with zipfile.ZipFile(file, "a") as archive:
        text = json.dumps(asdict(card), indent=2, ensure_ascii=False, allow_nan=False)
        archive.writestr(zipfile.ZipInfo(MEMBER, ZIP_TIME), text + "\n")
    return file.getvalue()


def read_card(path: Path) -> Card:
    """Return the card of an exported model.

    Raises:
        LookbookError: If there is no such file, or it is no model of this software, is damaged, or
            is of a newer format.
    """
    if not path.is_file():
        raise _unfit(path, "no such file", "Run `dvc repro export`, which makes it.")
    with path.open("rb") as file:
        if file.read(8)[4:] != MAGIC:
            raise _unfit(path, "a file of another kind", "Name one of models/export.")
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(MEMBER).file_size > MEMBER_BYTES:
                raise ValueError("a card of over a megabyte")
            content = json.loads(archive.read(MEMBER))
        received = content["format"]
        if isinstance(received, int) and received > FORMAT:
            raise _unfit(
                path, f"format {received}", f"Bring Lookbook up to date: it knows {FORMAT}."
            )
        return Card(**{field.name: content[field.name] for field in fields(Card)})
    except (zipfile.BadZipFile, KeyError):
        raise _unfit(
            path, "a model without a card, or one that is cut off", "Run `dvc repro export` again."
        ) from None
    except (ValueError, TypeError, NotImplementedError, OSError) as error:
        raise _unfit(path, str(error), "Run `dvc repro export` again.") from None


def _unfit(path: Path, received: str, remedy: str) -> LookbookError:
    return LookbookError(
        f"Expected a model that Lookbook exported at {path}. Received: {received}. {remedy}"
    )
