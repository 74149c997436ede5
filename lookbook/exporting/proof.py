"""Proof that an exported file says what was measured: every test picture, in both its forms."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from lookbook import stderr_aside
from lookbook.evaluation.calibration import with_temperature
from lookbook.evaluation.doubt import Doubt
from lookbook.evaluation.predictions import Predictions
from lookbook.exporting.network import OUTPUTS
from lookbook.foundation.errors import LookbookError
from lookbook.inference.answers import answers
from lookbook.inference.card import Card, read_card
from lookbook.inference.single import with_batch_of_one
from lookbook.splits.split import Split

TOLERANCE = 1e-5  # of a probability
TOLERANCE_HALF = 0.02  # with weights of float16
STRANGE_TOLERANCE = 0.05  # of a strangeness, as a share; a changed answer is none of its own
THRESHOLDS = ("temperature", "coverage", "least_probability", "kept", "most_strangeness")


def prove(path: Path, split: Split, measured: Predictions, doubt: Doubt) -> dict[str, float | int]:
    """Return how far an exported file is from what was measured.

    No label is opened: what evaluate wrote down of each picture is compared with what the file says
    of its pixels.

    Args:
        path: The file, with its card.
        split: The test pictures.
        measured: What evaluate wrote down of them.
        doubt: Likewise of the model.

    Returns:
        `largest_difference` of a probability, `largest_difference_single` where pictures go in one
        at a time, `largest_strangeness_difference`, as a share, `changed_answers` (0 but with
        weights of float16), and how many `pictures` were compared.

    Raises:
        LookbookError: If a prediction or an answer is another one, a probability differs by more
            than rounding does, or the card has other thresholds.
    """
    measured.check_about(split)
    card, model = read_card(path), path.read_bytes()
    for name in THRESHOLDS:
        if getattr(card, name) != getattr(doubt, name):
            raise _unlike(
                card, f"the {name} {getattr(doubt, name)}", f"{getattr(card, name)} in its card"
            )
    found = {
        "largest_difference": _compared(model, card, split, measured, doubt, None),
        "largest_difference_single": _compared(
            with_batch_of_one(model), card, split, measured, doubt, 1
        ),
    }
    figures: dict[str, float | int] = {name: said[0] for name, said in found.items()}
    strange = max(said[1] for said in found.values())
    changed = max(said[2] for said in found.values())
    figures |= {"largest_strangeness_difference": strange, "changed_answers": changed}
    return figures | {"pictures": len(split)}


def tolerance(card: Card) -> float:
    """Return by how much a probability may differ."""
    return TOLERANCE_HALF if card.weights == "float16" else TOLERANCE


def _compared(
    model: bytes,
    card: Card,
    split: Split,
    measured: Predictions,
    doubt: Doubt,
    at_once: int | None,
) -> tuple[float, float, int]:
    """Return the largest difference of a probability, of strangeness, and how many answers differ.

    Answers may differ with weights of float16 alone, where a picture is at a threshold.
    """
    probabilities, calibrated, strange = _said(model, split, at_once)
    form = "one at a time" if at_once else "many at once"
    changed = int((probabilities.argmax(axis=1) != measured.predicted).sum())
    if changed:
        raise _unlike(
            card, f"the predictions of {len(split)} pictures", f"{changed} others ({form})"
        )
    allowed = tolerance(card)
    difference = float(np.abs(probabilities - measured.probabilities).max())
    # Of the file's own: a temperature magnifies the rounding of the smallest of the measured ones.
    of_calibrated = np.abs(calibrated - with_temperature(probabilities, doubt.temperature)).max()
    for name, found in (("", difference), ("calibrated ", float(of_calibrated))):
        if found > allowed:
            raise _unlike(
                card,
                f"{name}probabilities that differ by at most {allowed}",
                f"a difference of {found:.1e} ({form})",
            )
    answered = answers(
        calibrated,
        strange,
        least_probability=card.least_probability,
        most_strangeness=card.most_strangeness,
    )
    others = int((answered != doubt.answers(measured)).sum())
    if others and card.weights == "float32":
        raise _unlike(card, f"the answers to {len(split)} pictures", f"{others} others ({form})")
    apart = np.abs(strange - measured.strangeness) / np.maximum(measured.strangeness, 1e-9)
    if not apart.max() <= STRANGE_TOLERANCE:  # NaN neither
        raise _unlike(
            card,
            f"strangeness that differs by at most a share of {STRANGE_TOLERANCE}",
            f"a difference of {apart.max():.1e} ({form})",
        )
    return difference, float(apart.max()), others


def _said(
    model: bytes, split: Split, at_once: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return probabilities, calibrated ones and strangeness of all pictures of a split."""
    with stderr_aside():  # where LiteRT tells which delegate it uses
        runner = Interpreter(model_content=model).get_signature_runner()
    parts = [runner(pixels=pixels) for pixels in _batches(split, at_once)]
    first, second, third = (np.concatenate([part[name] for part in parts]) for name in OUTPUTS)
    return first, second, third


def _batches(split: Split, at_once: int | None) -> Iterator[np.ndarray]:
    for block in split.blocks():
        pixels = split.images(block)
        step = at_once or len(pixels)
        yield from (pixels[start : start + step] for start in range(0, len(pixels), step))


def _unlike(card: Card, expected: str, received: str) -> LookbookError:
    return LookbookError(
        f"Expected the exported {card.name} to say what was measured: {expected}. Received: "
        f"{received}. Nothing was exported. Run `dvc repro`, which measures and exports anew"
        + (
            "; with export.weights: float16 that may be the price of it: set it to float32."
            if card.weights == "float16"
            else "."
        )
    )
