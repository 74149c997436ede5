"""The parameters of an experiment: one typed section a stage, read from params.yaml.

No parameter has a default here; params.yaml holds them all. The whole file is checked by every
stage, so that a mistake in a late stage's section is told before the first one has run.
"""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from lookbook.foundation.schema import (
    AutoCount,
    AutoFlag,
    AutoPositive,
    AutoShare,
    AutoWhole,
    Count,
    Integer,
    Number,
    Positive,
    Section,
    Share,
    read_yaml,
    validated,
)

PARAMS = Path("params.yaml")

Name = Annotated[str, StringConstraints(min_length=1)]
Seed = Annotated[Integer, Field(ge=0, lt=2**32)]
Dropout = Annotated[Number, Field(ge=0, lt=1)]
NotNegative = Annotated[Number, Field(ge=0)]


class PreprocessParams(Section):
    """How pictures become splits."""

    image_size: AutoCount
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

    image_size: Count
    loss: Literal["log_loss", "modified_huber"]
    penalty: Literal["l2", "l1", "elasticnet"]
    alpha: Positive
    max_iter: Count
    folds: Annotated[Integer, Field(ge=2)]
    seed: Seed


class HardwareParams(Section):
    """What the networks are trained on."""

    devices: Literal["one", "all"]
    mixed_precision: bool


class TrainingParams(Section):
    """What every network's training has in common.

    Attributes:
        least_epochs: What `auto` gives where the pictures are many.
        least_steps: What it gives where they are few.
    """

    least_epochs: ClassVar[int] = 20
    least_steps: ClassVar[int] = 1000

    optimizer: Literal["sgd", "rmsprop", "adam"]
    learning_rate: Positive
    schedule: Literal["constant", "cosine"]
    warmup: Annotated[Number, Field(ge=0, lt=1)]
    momentum: Annotated[Number, Field(ge=0, lt=1)]
    weight_decay: NotNegative
    clip_norm: NotNegative
    label_smoothing: Annotated[Number, Field(ge=0, lt=1)]
    class_weights: Literal["auto", "none", "balanced"]
    batch_size: Count
    epochs: AutoCount
    early_stopping: AutoWhole
    seed: Seed


class TrainAnnParams(TrainingParams):
    """The dense network."""

    image_size: Count
    hidden: list[Count]
    activation: Literal["relu", "tanh", "sigmoid", "elu", "selu", "gelu", "silu"]
    batch_norm: bool
    dropout: Dropout


class AugmentationParams(Section):
    """The largest change to a training picture: degrees, share of its size, share of its side."""

    rotation: Annotated[Number, Field(ge=0, le=180)]
    zoom: Annotated[Number, Field(ge=0, lt=1)]
    shift: Annotated[Number, Field(ge=0, lt=1)]
    flip: AutoFlag


class TrainCnnParams(TrainingParams):
    """The convolutional network."""

    least_epochs: ClassVar[int] = 22

    image_size: Count
    blocks: Annotated[
        list[Annotated[list[Count], Field(min_length=1)]],
        Field(min_length=1),
    ]
    kernel_size: Count
    max_map: Annotated[Integer, Field(ge=0)]
    batch_norm: bool
    dense_units: Annotated[Integer, Field(ge=0)]
    dropout: Dropout
    augmentation: AugmentationParams


class FineTuneParams(Section):
    """The second step of transfer: the last blocks of the base, at a low rate."""

    least_epochs: ClassVar[int] = 16
    least_steps: ClassVar[int] = 600

    blocks: AutoWhole
    learning_rate: Positive
    label_smoothing: Annotated[Number, Field(ge=0, lt=1)]
    batch_size: Count
    epochs: AutoCount
    early_stopping: AutoWhole


class TrainTransferParams(TrainingParams):
    """The head on a frozen base."""

    least_steps: ClassVar[int] = 2000

    base: Name
    weights: Name
    width: AutoPositive
    views: Count
    dropout: Dropout
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
