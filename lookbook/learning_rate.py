"""Learning-rate range test: raise the rate step by step and see where the loss falls and breaks.

    python -m lookbook.learning_rate train_cnn

trains the network of that section for one short run, from a rate of 1e-6 up to 1, on the training
split, prints the rate of the steepest fall, and draws metrics/learning_rate/train_cnn.png. Nothing
else is changed. (Smith, arXiv 1506.01186.)
"""

import logging
import sys
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from lookbook.batches import Augmentation, training_chunks
from lookbook.charts import draw_learning_rates
from lookbook.errors import LookbookError, explains_errors
from lookbook.hardware import prepared
from lookbook.params import load_params
from lookbook.splits import Split
from lookbook.training import compiled
from stages import train_ann, train_cnn

BUILD = {"train_ann": train_ann.build, "train_cnn": train_cnn.build}
FOLDER = Path("metrics/learning_rate")
LOWEST, HIGHEST, STEPS = 1e-6, 1.0, 200
MEMORY = 0.9  # of the moving average that smooths the loss
SPAN = 20  # steps
BROKEN = 4  # times the lowest loss: the end of the test

logger = logging.getLogger("learning_rate")


def range_test(trainer: keras.Model, batches) -> tuple[np.ndarray, np.ndarray]:
    """Take a step at each rate, until the loss breaks.

    Args:
        trainer: A compiled model.
        batches: As many (inputs, targets) as wanted.

    Returns:
        The rates, and the loss after each, smoothed; both float64 of the same length.
    """
    rates, losses = [], []
    smoothed, lowest = 0.0, np.inf
    planned = np.geomspace(LOWEST, HIGHEST, STEPS)
    for step, (rate, batch) in enumerate(zip(tqdm(planned, disable=None), batches, strict=False)):
        trainer.optimizer.learning_rate = rate
        trainer.reset_metrics()
        loss = trainer.train_on_batch(*batch, return_dict=True)["loss"]
        smoothed = MEMORY * smoothed + (1 - MEMORY) * float(loss)
        corrected = smoothed / (1 - MEMORY ** (step + 1))
        if not np.isfinite(corrected) or corrected > BROKEN * lowest:
            break
        lowest = min(lowest, corrected)
        rates.append(rate)
        losses.append(corrected)
    return np.array(rates), np.array(losses)


def steepest(rates: np.ndarray, losses: np.ndarray) -> float:
    """Return the rate at which the loss falls fastest by the logarithm of the rate.

    The fall is taken over `SPAN` steps: from one to the next, and above all in the first ones, of
    which the average holds few, it is noise.
    """
    span = min(SPAN, len(rates) - 1)
    falls = losses[: len(losses) - span] - losses[span:]
    return float(rates[falls.argmax() + span // 2])


@explains_errors
def main() -> None:
    """Test the section named on the command line; print the rate, draw the picture."""
    if len(sys.argv) != 2 or sys.argv[1] not in BUILD:
        raise LookbookError(
            f"Expected a section: python -m lookbook.learning_rate {' or '.join(BUILD)}. "
            f"Received: {' '.join(sys.argv[1:]) or 'nothing'}."
        )
    name = sys.argv[1]
    params = load_params()
    settings = getattr(params, name).model_copy(update={"schedule": "constant", "warmup": 0.0})
    train = Split("train")
    augmentation = None
    if name == "train_cnn":
        augmentation = Augmentation.of(settings.augmentation, train.spec)
    with prepared(params.hardware, settings.seed):
        trainer = compiled(BUILD[name](train.spec, settings), train, settings)
        trainer.batch_size = None
        batches, _ = training_chunks(
            train,
            batch_size=settings.batch_size,
            seed=settings.seed,
            augmentation=augmentation,
            max_batches=1,
        )
        rates, losses = range_test(trainer, batches)
    best = steepest(rates, losses)
    path = FOLDER / f"{name}.png"
    draw_learning_rates(path, rates, losses, best)
    logger.info(
        "the loss falls fastest at %.1e and is lowest at %.1e; see %s",
        best,
        rates[losses.argmin()],
        path,
    )


if __name__ == "__main__":
    main()
