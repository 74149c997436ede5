"""Make a base for train_transfer from a network that train_cnn trained.

    lookbook cut_base models/train_cnn.keras data/bases/mine.keras

keeps the convolutional part; `train_transfer.base: mine` in params.yaml then uses it.
"""

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", type=Path, help="a file that train_cnn made")
    parser.add_argument("base", type=Path, help="the file to write, data/bases/NAME.keras")


def run(arguments: argparse.Namespace) -> None:
    """Cut the base out of the model, and save it."""
    from lookbook.networks.saving import load_keras, save_keras
    from lookbook.transfer.bases import cut_base

    model = load_keras(arguments.model, remedy="Run `dvc repro train_cnn`.")
    save_keras(cut_base(model), arguments.base)
    print(f"{arguments.base}: {arguments.base.stat().st_size:,} bytes")
