"""Train a dense network.

In: the training and validation splits. Out: models/train_ann.keras and its curves.

    python -m stages.train_ann       10 s on digits (0.97 test); a minute on Fashion-MNIST (0.89)
"""

from pathlib import Path

from lookbook.errors import explains_errors
from lookbook.files import write_metrics
from lookbook.networks import build_ann
from lookbook.params import load_params
from lookbook.saving import save_keras
from lookbook.splits import Split
from lookbook.training import fit, make_deterministic, save_curves

MODEL = Path("models/train_ann.keras")
CURVES = Path("metrics/curves/train_ann.csv")
METRICS = Path("metrics/train_ann.json")


@explains_errors
def main() -> None:
    """Build, train, save."""
    settings = load_params().train_ann
    make_deterministic(settings.seed)
    train, validation = Split("train"), Split("validation")
    model = build_ann(
        train.spec,
        hidden=settings.hidden,
        activation=settings.activation,
        dropout=settings.dropout,
    )
    curves, figures = fit(model, train, validation, settings, one_hot=train.spec.one_hot)
    save_keras(model, MODEL)
    save_curves(curves, CURVES)
    write_metrics(METRICS, figures | {"parameters": model.count_params()})


if __name__ == "__main__":
    main()
