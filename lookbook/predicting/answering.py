"""What a model answers about all that is found, on all cores, in the order of what is found."""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.parallel import in_parallel
from lookbook.inference.card import read_card
from lookbook.inference.classifier import MANY, Classifier, Prediction
from lookbook.pictures.decoding import Fault, UnreadableError
from lookbook.pictures.resizing import sharing_threads, use_opencv
from lookbook.predicting.finding import Found, content_of

EXPORTED = Path("models/export")
AT_ONCE = 4  # pictures that a thread takes


class Answered(NamedTuple):
    """A picture and what the model says of it, or why it could not be read.

    Attributes:
        content: Of its file, if it was asked for and could be read.
    """

    found: Found
    said: Prediction | Fault
    content: bytes | None


def answered(
    classifier: Classifier, found: Iterable[Found], *, count: int | None, keeps: bool = False
) -> Iterator[Answered]:
    """Yield what the model says of each picture, in their order.

    Args:
        classifier: The model.
        found: The pictures.
        count: About how many they are, if that is known.
        keeps: Whether their contents are wanted, too.
    """

    def answer(one: Found) -> Answered:
        try:
            content = content_of(one)
        except UnreadableError as error:
            return Answered(one, Fault(str(error)), None)
        return Answered(one, classifier.classify(content), content if keeps else None)

    many = count is None or count > MANY
    if many:
        use_opencv()
    with sharing_threads() if many else nullcontext():
        yield from in_parallel(answer, found, AT_ONCE)


def picked_model(folder: Path = EXPORTED) -> Path:
    """Return the exported model that validation data picked.

    Raises:
        LookbookError: If there is none, or more than one.
    """
    paths = sorted(folder.glob("*.tflite"))
    if not paths:
        raise LookbookError(
            f"Expected exported models in {folder}. Received: none. Run `dvc repro export`, which "
            "makes them, or name a model's file with --model."
        )
    picked = [path for path in paths if read_card(path).is_picked]
    if len(picked) != 1:
        raise LookbookError(
            f"Expected one model of {folder} that validation data picked. Received: {len(picked)} "
            f"out of {', '.join(path.name for path in paths)}. Name one with --model."
        )
    return picked[0]
