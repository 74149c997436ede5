"""A ladder without training, for tests of what comes after it."""

from support import settings_of

from lookbook.ladder.rungs import rung
from lookbook.networks.architectures import (
    build_ann,
    build_cnn,
    build_feature_extractor,
    build_head,
    join,
)
from lookbook.transfer.bases import load_base

# Those that the tests make; a new rung has its own tests.
MADE = tuple(map(rung, ("baseline", "train_ann", "train_cnn", "train_transfer")))
ALL = {made.name: made.file for made in MADE}


def softmax_regression(spec):
    return build_ann(spec, settings_of("train_ann", hidden=[], batch_norm=False, dropout=0.0))


def small_cnn(spec):
    settings = {"blocks": [[4]], "dropout": 0.0, "max_map": 0, "dense_units": 0}
    return build_cnn(spec, settings_of("train_cnn", **settings))


def small_transfer(spec):
    base = load_base("fashion_mnist_cnn", weights="auto", width="auto", image_size=28)
    extractor = build_feature_extractor(spec, base)
    width = extractor.output_shape[-1]
    return join(
        spec, extractor,
        build_head(spec, width, mean=[0.0] * width, variance=[1.0] * width, dropout=0.0),
    )  # fmt: skip
