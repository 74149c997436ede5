"""The parameters of an experiment: one typed section a stage, read from params.yaml.

No parameter has a default here; params.yaml holds them all. The whole file is checked by every
stage, so that a mistake in a late stage's section is told before the first one has run.
"""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from lookbook.foundation.schema import (
    Auto,
    AutoFlag,
    AutoShare,
    Integer,
    Number,
    Section,
    Share,
    auto_or,
    auto_or_whole,
    read_yaml,
    validated,
)

PARAMS = Path("params.yaml")

Name = Annotated[str, StringConstraints(min_length=1)]
Seed = Annotated[Integer, Field(ge=0, lt=2**32)]
Dropout = Annotated[Number, Field(ge=0, lt=1)]

# What a machine can hold or finish; beyond, libraries fail in words of their own, or never end.
Side = Annotated[Integer, Field(ge=1, le=4096)]  # pixels
AutoSide = Annotated[Auto | int, auto_or_whole(1, 4096)]
Units = Annotated[Integer, Field(ge=1, le=2**14)]  # of a layer, and channels
Kernel = Annotated[Integer, Field(ge=1, le=99)]  # pixels
BatchSize = Annotated[Integer, Field(ge=1, le=2**16)]
Passes = Annotated[Integer, Field(ge=1, le=10**5)]
AutoPasses = Annotated[Auto | int, auto_or_whole(1, 10**5)]
AutoPatience = Annotated[Auto | int, auto_or_whole(0, 10**5)]
AutoBlocks = Annotated[Auto | int, auto_or_whole(0, 1000)]
Rate = Annotated[Number, Field(ge=1e-9, le=100)]
Strength = Annotated[Number, Field(ge=0, le=10**6)]  # of a penalty, or a norm
Width = Annotated[
    Auto | float, auto_or(Annotated[Number, Field(gt=0, le=4)], "a number above 0, at most 4")
]
LAYERS = 50


class PreprocessParams(Section):
    """How pictures become splits."""

    image_size: AutoSide
    validation_size: Annotated[Number, Field(ge=0, lt=1)]
    test_size: Share
    split: Literal["stratified", "hash"]
    groups: Literal["none", "near"]
    drop_twins: Literal["exact", "near", "none"]
    max_unreadable: AutoShare
    resize: Literal["stretch", "crop", "pad"]
    scaling: Literal["unit", "symmetric", "standard", "none"]
    one_hot: bool
    seed: Seed

    @model_validator(mode="after")
    def _draws_groups_by_shares(self) -> Self:
        if self.groups == "near" and self.split == "hash":
            raise ValueError(
                "Expected preprocess.split to be stratified where preprocess.groups is near: what "
                "a picture is like is not in its hash. Received: hash."
            )
        return self

    @model_validator(mode="after")
    def _leaves_training_data(self) -> Self:
        if self.validation_size + self.test_size >= 1:
            raise ValueError(
                "Expected preprocess.validation_size and preprocess.test_size to add up to less "
                f"than 1. Received: {self.validation_size} and {self.test_size}."
            )
        return self


class BaselineParams(Section):
    """The linear classifier. Both losses give probabilities, which evaluate needs."""

    image_size: Side
    loss: Literal["log_loss", "modified_huber"]
    penalty: Literal["l2", "l1", "elasticnet"]
    alpha: Annotated[Number, Field(ge=1e-9, le=1000)]
    max_iter: Passes
    folds: Annotated[Integer, Field(ge=2, le=100)]
    seed: Seed


class HardwareParams(Section):
    """What the networks are trained on."""

    repeatable: Literal["everywhere", "machine"]
    devices: Literal["one", "all"]
    precision: Literal["float32", "float16", "bfloat16"]


class TrainingParams(Section):
    """What every network's training has in common.

    Attributes:
        least_epochs: What `auto` gives where the pictures are many.
        least_steps: What it gives where they are few.
    """

    least_epochs: ClassVar[int] = 20
    least_steps: ClassVar[int] = 1000

    optimizer: Literal["sgd", "rmsprop", "adam", "muon"]
    learning_rate: Rate
    schedule: Literal["constant", "cosine"]
    warmup: Annotated[Number, Field(ge=0, lt=1)]
    momentum: Annotated[Number, Field(ge=0, lt=1)]
    weight_decay: Strength
    clip_norm: Strength
    label_smoothing: Annotated[Number, Field(ge=0, lt=1)]
    class_weights: Literal["auto", "none", "balanced"]
    batch_size: BatchSize
    epochs: AutoPasses
    early_stopping: AutoPatience
    seed: Seed


class TrainAnnParams(TrainingParams):
    """The dense network."""

    image_size: Side
    hidden: Annotated[list[Units], Field(max_length=LAYERS)]
    activation: Literal["relu", "tanh", "sigmoid", "elu", "selu", "gelu", "silu"]
    batch_norm: bool
    dropout: Dropout


class AugmentationParams(Section):
    """The largest change to a training picture: degrees, and shares of its size, side and area."""

    rotation: Annotated[Number, Field(ge=0, le=180)]
    zoom: Annotated[Number, Field(ge=0, lt=1)]
    shift: Annotated[Number, Field(ge=0, lt=1)]
    flip: AutoFlag
    erase: Annotated[Number, Field(ge=0, le=1)]


class TrainCnnParams(TrainingParams):
    """The convolutional network."""

    least_epochs: ClassVar[int] = 22

    image_size: Side
    blocks: Annotated[
        list[Annotated[list[Units], Field(min_length=1, max_length=LAYERS)]],
        Field(min_length=1, max_length=LAYERS),
    ]
    kernel_size: Kernel
    max_map: Annotated[Integer, Field(ge=0, le=4096)]
    batch_norm: bool
    dense_units: Annotated[Integer, Field(ge=0, le=2**14)]
    dropout: Dropout
    test_time_flip: AutoFlag
    augmentation: AugmentationParams


class FineTuneParams(Section):
    """The second step of transfer: the last blocks of the base, at a low rate."""

    least_epochs: ClassVar[int] = 16
    least_steps: ClassVar[int] = 600

    blocks: AutoBlocks
    learning_rate: Rate
    label_smoothing: Annotated[Number, Field(ge=0, lt=1)]
    batch_size: BatchSize
    epochs: AutoPasses
    early_stopping: AutoPatience


class TrainTransferParams(TrainingParams):
    """The head on a frozen base."""

    least_steps: ClassVar[int] = 2000

    base: Name
    weights: Name
    width: Width
    views: Annotated[Integer, Field(ge=1, le=1000)]
    dropout: Dropout
    test_time_flip: AutoFlag
    augmentation: AugmentationParams
    fine_tune: FineTuneParams


class EvaluateParams(Section):
    """What a model's answers promise; see `lookbook.evaluation.doubt`."""

    coverage: Share
    kept: Share


class ExportParams(Section):
    """Which models are exported, and how."""

    models: Literal["all", "picked"]
    weights: Literal["float32", "float16"]


class Params(Section):
    """All of params.yaml."""

    dataset: Name
    hardware: HardwareParams
    preprocess: PreprocessParams
    baseline: BaselineParams
    train_ann: TrainAnnParams
    train_cnn: TrainCnnParams
    train_transfer: TrainTransferParams
    evaluate: EvaluateParams
    export: ExportParams


def load_params(path: Path = PARAMS) -> Params:
    """Read and check params.yaml.

    Raises:
        LookbookError: For anything that is missing, unknown, of the wrong type or out of range.
    """
    return validated(Params, read_yaml(path), path=path)
