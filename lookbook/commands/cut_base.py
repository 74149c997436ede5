"""Make a base for train_transfer: from a network that train_cnn trained, or a published one.

    lookbook cut_base models/train_cnn.keras data/bases/mine.keras --trained-on pets
    lookbook cut_base MobileNet data/bases/photos.keras --width 0.5 --half --trained-on ImageNet

keeps the convolutional part, and writes a card beside it, data/bases/mine.yaml, for you to
complete; `train_transfer.base: mine` in params.yaml then uses it.
"""

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", help="a file that train_cnn made, or a network's name in Keras")
    parser.add_argument("base", type=Path, help="the file to write, data/bases/NAME.keras")
    parser.add_argument(
        "--trained-on",
        nargs="+",
        required=True,
        metavar="DATASET",
        help="the data sets that the model has seen",
    )
    parser.add_argument("--half", action="store_true", help="weights as float16: half the size")
    parser.add_argument("--weights", default="auto", help="of a network of Keras: a file")
    parser.add_argument("--width", type=float, help="of such: its channels, 1 if left out")


def run(arguments: argparse.Namespace) -> None:
    """Cut the base out of the model, save it and its card."""
    import yaml

    from lookbook.foundation.files import write_text
    from lookbook.networks.saving import load_keras, save_keras
    from lookbook.transfer.bases import LEAST_SIZE, applications, cut_base, published

    if arguments.model in applications():
        width = arguments.width or 1.0
        base = published(arguments.model, weights=arguments.weights, width=width)
        least = LEAST_SIZE
    else:
        base = cut_base(load_keras(Path(arguments.model), remedy="Run `dvc repro train_cnn`."))
        least = 1
    save_keras(base, arguments.base, half=arguments.half)
    card = {
        "title": f"{arguments.model} without its top",
        "licence": "not stated",
        "trained_on": arguments.trained_on,
        "least_size": least,
    }
    write_text(arguments.base.with_suffix(".yaml"), yaml.safe_dump(card, sort_keys=False))
    print(f"{arguments.base}: {arguments.base.stat().st_size:,} bytes, and its card beside it")
