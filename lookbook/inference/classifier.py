"""An exported model, and what it answers about pictures."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookbook import stderr_aside
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.parallel import in_parallel
from lookbook.inference.answers import STRANGER, UNSURE, WORDS, answers, in_question
from lookbook.inference.card import Card, read_card, unfit
from lookbook.pictures.decoding import Fault, Form, UnreadableError, decoded, given
from lookbook.pictures.resizing import sharing_threads, use_opencv

MANY = 100  # pictures from which on OpenCV is worth the 0.2 s that its import takes
AT_ONCE = 32  # of many pictures, those that a thread takes
MOST_BYTES = 2**28  # of a picture's file
OUTPUTS = {"probabilities", "calibrated", "strangeness"}

Picture = str | os.PathLike[str] | bytes | np.ndarray
Runner = Callable[..., dict[str, np.ndarray]]


@dataclass(frozen=True)
class Prediction:
    """What a model says of one picture.

    Attributes:
        answer: A class's name, `unsure` or `none of these`.
        likeliest: The name of the likeliest class, whatever the answer.
        probability: Of the likeliest class, calibrated.
        probabilities: Of each class, calibrated, in label order.
        in_question: The names of the classes that are likely enough.
        strangeness: How far the picture is from those that the model learnt from, in its own unit.
        reason: Why this is the answer, in words.
    """

    answer: str
    likeliest: str
    probability: float
    probabilities: dict[str, float]
    in_question: list[str]
    strangeness: float
    reason: str


class Classifier:
    """An exported model. It may be used from several threads at once.

    Attributes:
        path: Of its file.
        card: What is known of it.
        form: What pictures are brought to before it sees them.
    """

    def __init__(self, path: str | os.PathLike[str]):
        """Load the model.

        Raises:
            LookbookError: If there is no such file, or it is no model that Lookbook exported.
        """
        self.path = Path(path)
        self.card = read_card(self.path)
        self.form = Form(self.card.image_size, self.card.channels, self.card.resize)
        with stderr_aside():  # where LiteRT tells which delegate it uses
            self._idle = [_loaded(self.path, self.card)]

    def predict(self, pictures: Iterable[Picture]) -> list[Prediction | Fault]:
        """Return what the model says of each picture, or why a file could not be read.

        Args:
            pictures: Paths, contents of files, or uint8 pixels of shape (height, width) or (height,
                width, channels), of any size, with 1 (grey) or 3 channels (red, green, blue).

        Raises:
            LookbookError: If one of them is none of these.
        """
        wanted = _checked(pictures)
        if len(wanted) < 2:
            return self.classify_all(wanted)
        if len(wanted) <= MANY:
            return list(in_parallel(self.classify, wanted))
        use_opencv()
        chunks = (wanted[start : start + AT_ONCE] for start in range(0, len(wanted), AT_ONCE))
        with sharing_threads():
            return [said for chunk in in_parallel(self.classify_all, chunks) for said in chunk]

    def classify(self, picture: Picture) -> Prediction | Fault:
        """Return what the model says of one picture, as `predict` does, on this thread."""
        return self.classify_all([picture])[0]

    def classify_all(self, pictures: Iterable[Picture | Fault]) -> list[Prediction | Fault]:
        """Return what the model says of a few pictures, as `predict` does, on this thread.

        Args:
            pictures: Checked ones. A fault in place of a picture is returned as it is.
        """
        prepared = list(map(self._prepared, pictures))
        said = iter(self._answers([one for one in prepared if not isinstance(one, Fault)]))
        return [one if isinstance(one, Fault) else next(said) for one in prepared]

    def _prepared(self, picture: Picture | Fault) -> np.ndarray | Fault:
        if isinstance(picture, Fault):
            return picture
        if isinstance(picture, np.ndarray):
            return given(picture if picture.ndim == 3 else picture[..., np.newaxis], self.form)[0]
        try:
            content = picture if isinstance(picture, bytes) else read_picture(Path(picture))
            return decoded(content, self.form)[0]
        except UnreadableError as error:
            return Fault(str(error))

    def _answers(self, pictures: list[np.ndarray]) -> list[Prediction]:
        if not pictures:
            return []
        # One at a time: as quick as several, and no picture's figures depend on the others.
        with self._runner() as run:
            outs = [run(pixels=pixels.reshape(1, *self.form.shape)) for pixels in pictures]
        probabilities, calibrated, strangeness = (
            np.concatenate([out[name] for out in outs])
            for name in ("probabilities", "calibrated", "strangeness")
        )
        said = answers(
            calibrated,
            strangeness,
            least_probability=self.card.least_probability,
            most_strangeness=self.card.most_strangeness,
        )
        likely = in_question(calibrated, self.card.least_probability)
        rows = (said, probabilities.argmax(axis=1), calibrated, likely, strangeness)
        return [self._prediction(*row) for row in zip(*(r.tolist() for r in rows), strict=True)]

    def _prediction(
        self,
        answer: int,
        first: int,
        calibrated: list[float],
        likely: list[bool],
        strangeness: float,
    ) -> Prediction:
        names = self.card.class_names
        probabilities = dict(zip(names, calibrated, strict=True))
        likeliest = names[first]
        return Prediction(
            answer=WORDS.get(answer, names[answer]),
            likeliest=likeliest,
            probability=probabilities[likeliest],
            probabilities=probabilities,
            in_question=[name for name, is_likely in zip(names, likely, strict=True) if is_likely],
            strangeness=strangeness,
            reason=self._reason(answer, probabilities, likeliest, sum(likely)),
        )

    def _reason(
        self, answer: int, probabilities: dict[str, float], likeliest: str, count: int
    ) -> str:
        """Return why this is the answer; `count` classes are in question."""
        if answer == STRANGER:
            share = percent(self.card.kept)
            return f"stranger than about {share} of the pictures that it was checked with"
        if answer == UNSURE and count:
            ranked = sorted(probabilities.items(), key=lambda pair: -pair[1])[:count]
            return " or ".join(f"{name} ({percent(share)})" for name, share in ranked)
        said = f"{likeliest} ({percent(probabilities[likeliest])})"
        return f"no class is likely enough, {said} the most" if answer == UNSURE else said

    @contextlib.contextmanager
    def _runner(self) -> Iterator[Runner]:
        """Lend an interpreter to one thread: two must not share one."""
        try:
            runner = self._idle.pop()
        except IndexError:
            runner = _loaded(self.path, self.card)
        try:
            yield runner
        finally:
            self._idle.append(runner)


def percent(share: float) -> str:
    """Return a share as people read it; never all where it is not."""
    rounded = f"{100 * share:.0f} %"
    return "over 99 %" if rounded == "100 %" and share < 1 - 1e-6 else rounded


def read_picture(path: Path) -> bytes:
    """Return the content of a picture's file.

    Raises:
        UnreadableError: If it cannot be read, or is too large to be a picture.
    """
    try:
        if not path.is_file():  # a pipe would be waited for
            raise UnreadableError("not a file" if path.exists() else "no such file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MOST_BYTES:
                raise UnreadableError(f"over {MOST_BYTES:,} bytes")
            # Not more than there is: Python takes the memory before it reads.
            content = file.read(size + 1)
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from None
    if len(content) != size:
        raise UnreadableError("changed while it was read")
    return content


def _loaded(path: Path, card: Card) -> Runner:
    """Return what runs a model, on one thread.

    Raises:
        LookbookError: If LiteRT refuses it, or its inputs and outputs are not those of its card.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_path=str(path), num_threads=1)
        interpreter.allocate_tensors()
        runner = interpreter.get_signature_runner()
        taken = {
            name: tuple(detail["shape_signature"].tolist())
            for name, detail in runner.get_input_details().items()
        }
        given_back = {
            name: detail["shape"].tolist() for name, detail in runner.get_output_details().items()
        }
    except (ValueError, RuntimeError) as error:
        raise unfit(path, str(error)) from None
    expected = {"pixels": (-1, card.image_size, card.image_size, card.channels)}
    if taken != expected or set(given_back) != OUTPUTS:
        raise unfit(path, f"inputs {taken} and outputs {sorted(given_back)}")
    if given_back["probabilities"][-1] != len(card.class_names):
        raise unfit(path, f"probabilities of {given_back['probabilities'][-1]} classes")
    return runner


def _checked(pictures: Iterable[Picture]) -> list[Picture]:
    """Return the pictures as a list.

    Raises:
        LookbookError: If it is one instead of several, or not what pictures are.
    """
    single = isinstance(pictures, str | os.PathLike | bytes)
    if single or (isinstance(pictures, np.ndarray) and pictures.ndim != 4):
        one = f"shape {pictures.shape}" if isinstance(pictures, np.ndarray) else "a single one"
        raise LookbookError(f"Expected a list of pictures. Received: {one}. Put it into a list.")
    wanted = list(pictures)
    for place, picture in enumerate(wanted):
        if isinstance(picture, np.ndarray):
            _check_pixels(picture, place)
        elif not isinstance(picture, str | os.PathLike | bytes):
            raise LookbookError(
                "Expected paths, contents of files or arrays of pixels. Received at place "
                f"{place}: {type(picture).__name__}. Turn it into one of these."
            )
    return wanted


def _check_pixels(pixels: np.ndarray, place: int) -> None:
    shaped = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (1, 3))
    if pixels.dtype != np.uint8 or not shaped or not pixels.size:
        raise LookbookError(
            "Expected pixels as uint8 from 0 to 255, of shape (height, width), (height, width, 1) "
            f"or (height, width, 3). Received at place {place}: {pixels.dtype} of shape "
            f"{pixels.shape}. Convert them, as with (255 * pixels).astype(np.uint8) if they are "
            "from 0 to 1."
        )
