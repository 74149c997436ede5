"""Say what more photos would bring, before anybody takes them.

    lookbook learning_curve                         seconds to minutes
    lookbook learning_curve --network train_cnn     some twenty trainings: minutes to hours

learns on growing shares of the training pictures, several draws of each, measures on the validation
pictures, and puts a power law through the accuracies. By default a linear probe on the features of
train_transfer's base learns, with --network train_cnn the network of that section. Nothing else is
changed. Writes metrics/learning_curve.json and metrics/learning_curve.svg; the next `dvc repro`
has both on the page.
"""

import argparse
from pathlib import Path

CHART = Path("metrics/learning_curve.svg")
LEARNERS = {
    "train_transfer": "a linear classifier on the frozen base",
    "train_cnn": "the convolutional network",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--network", choices=[*LEARNERS], default="train_transfer",
        help="section of params.yaml; %(default)s by default",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> None:
    """Measure, fit, write; print the sentence."""
    from lookbook.evaluation.charts import draw_learning_curve
    from lookbook.evaluation.learning_curve import FILE, fingerprint_of
    from lookbook.foundation.files import write_json, write_text
    from lookbook.foundation.params import load_params
    from lookbook.planning.forecast import figures_of
    from lookbook.planning.measuring import measure_cnn, measure_probe
    from lookbook.splits.split import training_splits

    params = load_params()
    train, validation = splits = training_splits()
    measure = measure_cnn if arguments.network == "train_cnn" else measure_probe
    measured = measure(params, train, validation)
    figures = figures_of(measured, len(validation), LEARNERS[arguments.network])
    fingerprints = {split.name: split.fingerprint() for split in splits}
    identity = {
        "network": arguments.network,
        "fingerprint": fingerprint_of(arguments.network, params, fingerprints),
    }
    write_text(CHART, draw_learning_curve(figures))
    write_json(FILE, identity | figures)
    print(f"{figures['sentence']}\nthe curve: {CHART}; `dvc repro` has it on the page")
