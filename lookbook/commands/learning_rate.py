"""Find a learning rate: raise it step by step and see where the loss breaks.

    lookbook learning_rate train_cnn

trains the network of that section for one short run, from a rate of 1e-6 up to 1, on the training
split, prints the rate of the steepest fall, and draws metrics/learning_rate/train_cnn.png. Nothing
else is changed. (Smith, arXiv 1506.01186.)
"""

import argparse
from collections.abc import Callable
from pathlib import Path

FOLDER = Path("metrics/learning_rate")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("section", choices=["train_ann", "train_cnn"], help="of params.yaml")


def run(arguments: argparse.Namespace) -> None:
    """Test the section; print the rate, draw the picture."""
    from lookbook.evaluation.charts import draw_learning_rates
    from lookbook.foundation.params import load_params
    from lookbook.networks.architectures import build_ann, build_cnn
    from lookbook.splits.split import Split
    from lookbook.training.augmentation import Augmentation
    from lookbook.training.batches import training_chunks
    from lookbook.training.devices import prepared
    from lookbook.training.fitting import compiled
    from lookbook.training.learning_rate import range_test, steepest

    name = arguments.section
    builders: dict[str, Callable] = {"train_ann": build_ann, "train_cnn": build_cnn}
    build = builders[name]
    params = load_params()
    settings = getattr(params, name).model_copy(update={"schedule": "constant", "warmup": 0.0})
    train = Split("train")
    augmentation = None
    if name == "train_cnn":
        augmentation = Augmentation.of(settings.augmentation, train.spec)
    with prepared(params.hardware, settings.seed):
        trainer = compiled(build(train.spec, settings), train, settings, in_chunks=False)
        batches, _ = training_chunks(
            train,
            batch_size=settings.batch_size,
            seed=settings.seed,
            augmentation=augmentation,
            max_batches=1,
        )
        rates, losses = range_test(trainer, batches)
    best, lowest = steepest(rates, losses), rates[losses.argmin()]
    path = FOLDER / f"{name}.png"
    draw_learning_rates(path, rates, losses, best)
    print(f"the loss falls fastest at {best:.1e} and is lowest at {lowest:.1e}; see {path}")
