"""Learning-rate range test: raise the rate step by step and see where the loss falls and breaks.

    python -m lookbook.commands.learning_rate train_cnn

trains the network of that section for one short run, from a rate of 1e-6 up to 1, on the training
split, prints the rate of the steepest fall, and draws metrics/learning_rate/train_cnn.png. Nothing
else is changed. (Smith, arXiv 1506.01186.)
"""

import logging
import sys
from pathlib import Path

from lookbook.evaluation.charts import draw_learning_rates
from lookbook.foundation.errors import LookbookError, explains_errors
from lookbook.foundation.params import load_params
from lookbook.splits.split import Split
from lookbook.training.augmentation import Augmentation
from lookbook.training.batches import training_chunks
from lookbook.training.devices import prepared
from lookbook.training.fitting import compiled
from lookbook.training.range_test import range_test, steepest
from stages import train_ann, train_cnn

BUILD = {"train_ann": train_ann.build, "train_cnn": train_cnn.build}
FOLDER = Path("metrics/learning_rate")
logger = logging.getLogger("learning_rate")


@explains_errors
def main() -> None:
    """Test the section named on the command line; print the rate, draw the picture."""
    if len(sys.argv) != 2 or sys.argv[1] not in BUILD:
        raise LookbookError(
            f"Expected a section: python -m lookbook.commands.learning_rate {' or '.join(BUILD)}. "
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
