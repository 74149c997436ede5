"""Train a new head on the base of a network trained on other pictures, then its last blocks too.

In: the training and validation splits, and the base. Out: models/train_transfer.keras (base and
head in one), its summary as text, and the curves of both steps, one after the other.

While the base is frozen each picture goes through it once, and the epochs see its features only;
they are kept, so that a change to the head costs seconds. Fine-tuning then goes through the whole
network for every picture and epoch; it is kept if it is better on validation data.

Where the test split is small, repeated cross-validation over training and validation data gives a
second figure beside that of the test. A linear classifier on the features stands for the head, and
for a network that was fine-tuned, since it is fitted in a second.

    python -m stages.train_transfer  15 s on digits (0.96 test)
"""

import logging
from pathlib import Path

from lookbook.foundation.errors import explains_errors
from lookbook.foundation.params import load_params
from lookbook.networks.architectures import build_feature_extractor, seen_size
from lookbook.splits.folds import has_small_test
from lookbook.splits.split import training_splits
from lookbook.training.augmentation import Augmentation
from lookbook.training.devices import kept, prepared
from lookbook.training.network import Outputs, answering, leave, settled
from lookbook.transfer.bases import base_for, weights_hash
from lookbook.transfer.features import Extractor
from lookbook.transfer.probe import repeatedly_validated
from lookbook.transfer.steps import blocks_to_tune, count_trainable, fine_tune, train_head

logger = logging.getLogger("train_transfer")

OUTPUTS = Outputs(
    model=Path("models/train_transfer.keras"),
    summary=Path("models/train_transfer.txt"),
    curves=Path("metrics/curves/train_transfer.csv"),
    metrics=Path("metrics/train_transfer.json"),
)


@explains_errors
def main() -> None:
    """Train the head, fine-tune if asked to, save base and head as one model."""
    params = load_params()
    train, validation = training_splits()
    settings, watched = settled(params.train_transfer, train.spec), OUTPUTS.curves
    with prepared(params.hardware, settings.seed):
        base = base_for(settings, train.spec)
        base_hash = weights_hash(base)
        frozen = build_feature_extractor(train.spec, base)
        model, curves, figures = train_head(frozen, train, validation, settings, watched)
        trained = count_trainable(model)
        crossed = {}
        if has_small_test(train.spec):  # before the second step, which changes the base
            balanced = settings.class_weights == "balanced"
            crossed["repeated_cv"] = repeatedly_validated(
                Extractor(frozen), train, validation, seed=settings.seed, balanced=balanced
            )
        accuracy = figures["validation_accuracy"]
        blocks = blocks_to_tune(settings.fine_tune.blocks, base, train, accuracy)
        if blocks:
            weights = model.get_weights()
            curves, tuned = fine_tune(
                model, base, blocks, train, validation, settings, curves, watched
            )
            if tuned["validation_accuracy"] > accuracy:
                figures, trained = tuned | {"frozen": figures}, count_trainable(model)
            else:  # a few pictures can teach a base nothing that it did not know better
                logger.info("fine-tuning was no better on validation data: keeping the frozen base")
                model.set_weights(weights)
                blocks, figures = 0, figures | {"fine_tuned": tuned}
        changes = Augmentation.of(settings.augmentation, train.spec)
        model, better = answering(model, settings.test_time_flip, changes, validation)
        figures |= better
    figures |= crossed | {
        "parameters": model.count_params(),
        "tuned_blocks": blocks,
        "trained_parameters": trained,
        "image_size": seen_size(model),
        "class_weights": settings.class_weights,
        "repeatable": kept(params.hardware),
        "base": train.spec.chosen("base", settings.base),
        "base_weights_sha256": base_hash,
    }
    leave("train_transfer", OUTPUTS, model, curves, figures)


if __name__ == "__main__":
    main()
