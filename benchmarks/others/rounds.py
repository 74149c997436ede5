"""What every program of the comparison does the same: it gets its task, and is asked to train.

Runs in environments without Lookbook, so NumPy is all it needs. The task comes on the command line;
then, line by line on standard input, `train` for an epoch and `accuracy` for how good it is on
validation data. To each the answer is a number: the seconds that the epoch took, or the accuracy.
"""

import argparse
import json
import math
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Protocol

import numpy as np


class Contender(Protocol):
    """A network in training."""

    def train(self) -> float:
        """Take as many steps as the task has in an epoch; return the seconds."""

    def accuracy(self) -> float:
        """Return the share of the validation pictures that it is right on."""


class Task:
    """What to train.

    Attributes:
        settings: The section train_cnn of params.yaml.
        epochs: For which the learning rate is scheduled.
        steps: Of an epoch.
        seed: Of the weights and the order of the pictures.
        options: How the program is to do it.
        x_train: uint8 of shape (steps x batch size, height, width, channels).
        y_train: int32 class indices.
        x_validation: Likewise.
        y_validation: Likewise.
    """

    def __init__(self) -> None:
        parser = argparse.ArgumentParser()
        parser.add_argument("--settings", type=json.loads, required=True)
        parser.add_argument("--epochs", type=int, required=True)
        parser.add_argument("--steps", type=int, required=True)
        parser.add_argument("--seed", type=int, required=True)
        parser.add_argument("options", nargs="*")
        task = parser.parse_args()
        self.settings = SimpleNamespace(**task.settings)
        self.epochs, self.steps, self.seed = task.epochs, task.steps, task.seed
        self.options = set(task.options)
        size = task.steps * self.settings.batch_size
        self.x_train, self.y_train = load("train", size)
        self.x_validation, self.y_validation = load("validation")

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.y_train.max()) + 1

    def rate(self, step: int) -> float:
        """Return the learning rate of a step: warm-up and cosine, as params.yaml says."""
        total = self.epochs * self.steps
        warmup = round(self.settings.warmup * total)
        if step < warmup:
            return self.settings.learning_rate * step / warmup
        share = (step - warmup) / max(1, total - warmup)
        return self.settings.learning_rate * (1 + math.cos(math.pi * min(1, share))) / 2


def load(split: str, count: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the first `count` pictures of a split, or all, and their class indices."""
    folder = Path("data/processed", split)
    parts = (
        np.concatenate([np.load(path) for path in sorted(folder.glob(f"{kind}-*.npy"))])[:count]
        for kind in ("images", "labels")
    )
    return tuple(parts)


def serve(contender: Contender) -> None:
    """Do what standard input asks for, until it ends."""
    answers = {"train": contender.train, "accuracy": contender.accuracy}
    print("ready", flush=True)
    for line in sys.stdin:
        print(answers[line.strip()](), flush=True)
