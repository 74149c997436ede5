"""What a model answers about all that is found, on all cores, in the order of what is found."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from lookbook.cluster.conditions import Conditions, software
from lookbook.cluster.connecting import connected
from lookbook.cluster.elsewhere import Elsewhere
from lookbook.cluster.mapping import mapped
from lookbook.foundation.arithmetic import processor
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.parallel import in_parallel
from lookbook.inference.card import EXPORTED, read_card
from lookbook.inference.classifier import AT_ONCE, MANY, Classifier, Prediction
from lookbook.pictures.decoding import Fault, UnreadableError
from lookbook.pictures.resizing import sharing_threads, use_opencv
from lookbook.predicting.finding import Found, content_of


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

    Where the environment names a Dask cluster, its workers say it, of contents that are read here.

    Args:
        classifier: The model.
        found: The pictures.
        count: About how many they are, if that is known.
        keeps: Whether their contents are wanted, too.
    """
    engine = _on_workers if connected() else _here
    return engine(classifier, found, count, keeps)


def _here(
    classifier: Classifier, found: Iterable[Found], count: int | None, keeps: bool
) -> Iterator[Answered]:

    def answer(chunk: list[Found]) -> list[Answered]:
        kept = []

        def content(one: Found) -> bytes | Fault:  # held no longer than it takes to decode it
            received = _content_of(one)
            kept.append(received if keeps and isinstance(received, bytes) else None)
            return received

        said = classifier.classify_all(map(content, chunk))
        return list(map(Answered, chunk, said, kept))

    many = count is None or count > MANY
    # Names that come one by one are not waited for, and few contents are held.
    size = AT_ONCE if count and many and not keeps else 1
    if many:
        use_opencv()
    with sharing_threads() if many else nullcontext():
        for chunk in in_parallel(answer, _chunks(found, size)):
            yield from chunk


def _on_workers(
    classifier: Classifier, found: Iterable[Found], count: int | None, keeps: bool
) -> Iterator[Answered]:
    waiting: deque[tuple[list[Found], list[bytes | Fault]]] = deque()

    def read(chunk: list[Found]) -> tuple[list[Found], list[bytes | Fault]]:
        return chunk, list(map(_content_of, chunk))

    def sent() -> Iterator[list[bytes]]:
        for chunk, contents in in_parallel(read, _chunks(found, AT_ONCE if count else 1)):
            held = [one if keeps or isinstance(one, Fault) else b"" for one in contents]
            waiting.append((chunk, held))
            yield [one for one in contents if isinstance(one, bytes)]

    elsewhere = Elsewhere(_loaded, classifier.path.name, classifier.path.read_bytes, _conditions)
    for answers in mapped(classifier.predict, sent(), elsewhere):
        chunk, contents = waiting.popleft()
        said = iter(answers)
        for one, content in zip(chunk, contents, strict=True):
            if isinstance(content, Fault):
                yield Answered(one, content, None)
            else:
                yield Answered(one, next(said), content if keeps else None)


def _loaded(path: Path) -> Callable[[list[bytes]], list[Prediction | Fault]]:
    use_opencv()
    return Classifier(path).predict


def _conditions() -> Conditions:
    """Return what the bytes of an answer depend on: LiteRT's arithmetic is the processor's own."""
    return {"the processor": processor(), **software("ai-edge-litert", "pillow", "pi-heif")}


def _content_of(found: Found) -> bytes | Fault:
    try:
        return content_of(found)
    except UnreadableError as error:
        return Fault(str(error))


def _chunks(found: Iterable[Found], size: int) -> Iterator[list[Found]]:
    drawn = iter(found)
    while chunk := list(islice(drawn, size)):
        yield chunk


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
