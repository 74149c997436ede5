"""The card of an exported model: what there is to know of it, inside its file.

A `.tflite` file with a zip archive behind its end is still one: LiteRT reads from the front, zip
from the back. The archive holds one member, card.json.
"""

import io
import json
import zipfile
import zlib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_origin

from lookbook.foundation.damage import DAMAGE
from lookbook.foundation.errors import LookbookError

EXPORTED = Path("models/export")  # where the stage export leaves models, in a clone
FORMAT = 1  # of the card and of the model's inputs and outputs; raised when either changes
MEMBER = "card.json"
MEMBER_BYTES = 2**20  # at most
ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip archive can hold
MAGIC = b"TFL3"  # at byte 4 of LiteRT's files
AGAIN = "Run `dvc repro export` again."
CHUNK = 2**20  # bytes read at a time


@dataclass(frozen=True)
class Card:
    """What is known of an exported model.

    Attributes:
        format: Of this card.
        name: The rung's, as `train_cnn`.
        title: What people read.
        is_picked: Whether it is the model that validation data picked.
        dataset: The title of the data set that it learnt from.
        training_pictures: How many of its pictures it learnt from.
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
    dataset: str
    training_pictures: int
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
    """Return a `.tflite` file with its card, the same bytes for the same content.

    LiteRT trusts what it reads, and may crash on a damaged file: the model's CRC-32, as eight hex
    digits in the comment of the archive's member, tells before.
    """
    file = io.BytesIO(model)
    member = zipfile.ZipInfo(MEMBER, ZIP_TIME)
    member.comment = f"{zlib.crc32(model):08x}".encode()
    with zipfile.ZipFile(file, "a") as archive:
        text = json.dumps(asdict(card), indent=2, ensure_ascii=False, allow_nan=False)
        archive.writestr(member, text + "\n")
    return file.getvalue()


def read_card(path: Path) -> Card:
    """Return the card of an exported model.

    Raises:
        LookbookError: If there is no such file, or it is no model of this software, is damaged, or
            is of a newer format.
    """
    if not path.is_file():
        raise unfit(path, "no such file", "Run `dvc repro export`, which makes it.")
    with path.open("rb") as file:
        if file.read(8)[4:] != MAGIC:
            raise unfit(path, "a file of another kind", "Name one of models/export.")
    try:
        with zipfile.ZipFile(path) as archive:
            member = archive.getinfo(MEMBER)
            if member.file_size > MEMBER_BYTES:
                raise ValueError("a card of over a megabyte")
            content = json.loads(archive.read(member))
        received = content["format"]
        if not isinstance(received, int):
            raise ValueError(f"a card of format {received!r}")
        if received > FORMAT:
            raise unfit(
                path, f"format {received}", f"Bring Lookbook up to date: it knows {FORMAT}."
            )
        if _crc32(path, member.header_offset) != member.comment:
            raise ValueError("a model whose bytes are not those that were exported")
        for field in fields(Card):
            kind: Any = get_origin(field.type) or field.type
            if not isinstance(content[field.name], (int, float) if kind is float else kind):
                raise ValueError(f"a card whose {field.name} is {content[field.name]!r}")
        names = content["class_names"]
        if not names or not all(isinstance(name, str) for name in names):
            raise ValueError("a card whose class_names are no names")
        return Card(**{field.name: content[field.name] for field in fields(Card)})
    except (zipfile.BadZipFile, LookupError):
        raise unfit(path, "a model without a card, or one that is cut off") from None
    except (*DAMAGE, TypeError) as error:
        raise unfit(path, str(error) or type(error).__name__) from None


def _crc32(path: Path, length: int) -> bytes:
    """Return the CRC-32 of a file's first bytes, as the card's member has it."""
    value = 0
    with path.open("rb") as file:
        while length > 0 and (chunk := file.read(min(CHUNK, length))):
            value, length = zlib.crc32(chunk, value), length - len(chunk)
    return f"{value:08x}".encode()


def unfit(path: Path, received: str, remedy: str = AGAIN) -> LookbookError:
    """Return the error of a file that is no whole model of this software."""
    return LookbookError(
        f"Expected a model that Lookbook exported at {path}. Received: {received}. {remedy}"
    )
