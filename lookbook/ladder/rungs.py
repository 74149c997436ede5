"""The ladder: which models there are, in which order, and what each is called.

A rung has one name everywhere: stage, script, section of params.yaml, metrics, predictions. Whoever
goes through the models, to measure, draw or time them, goes through `RUNGS`.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Rung:
    """One model of the ladder.

    Attributes:
        name: Of its stage.
        title: What people read.
        colour: In charts, as #rrggbb, of a palette that people of all kinds of sight can tell apart
            (Okabe and Ito, Color Universal Design, 2008).
        shape: Beside the colour: `circle`, `square`, `triangle`, `diamond`, `cross` or `bar`.
        kind: Of its file: how it is loaded (see `lookbook.ladder.models`).
        has_curves: Whether it is trained epoch by epoch.
        has_maps: Whether it has feature maps, which tell where it looked.
        crossed: What its stage cross-validates where the test split is small; '' if nothing.
    """

    name: str
    title: str
    colour: str
    shape: str
    kind: str
    has_curves: bool = False
    has_maps: bool = False
    crossed: str = ""

    @property
    def file(self) -> Path:
        """Where its stage leaves it."""
        return Path("models", f"{self.name}.{'keras' if self.kind == 'keras' else 'npz'}")

    @property
    def metrics(self) -> Path:
        """Where its stage leaves its own figures."""
        return Path("metrics", f"{self.name}.json")


RUNGS = (
    Rung("baseline", "Linear baseline", "#0072b2", "circle", "linear", crossed="the classifier"),
    Rung("train_ann", "Dense network", "#e69f00", "square", "keras", has_curves=True),
    Rung(
        "train_cnn",
        "Convolutional network",
        "#cc79a7",
        "triangle",
        "keras",
        has_curves=True,
        has_maps=True,
    ),
    Rung(
        "train_transfer",
        "Transfer",
        "#009e73",
        "diamond",
        "keras",
        has_curves=True,
        has_maps=True,
        crossed="a linear classifier on the frozen base",
    ),  # fmt: skip
)


def rung(name: str) -> Rung:
    """Return the rung of that name.

    Raises:
        KeyError: If there is none.
    """
    return {rung.name: rung for rung in RUNGS}[name]
