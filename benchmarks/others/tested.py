"""Print the accuracy of a model on the test split: `tested.py models/train_cnn.keras`."""

import sys
from pathlib import Path

from lookbook.ladder.models import load_model, predict
from lookbook.splits.split import Split


def main() -> None:
    """Ask about all test pictures."""
    test, path = Split("test"), Path(sys.argv[1])
    print((predict(load_model(path), test, path).argmax(axis=1) == test.labels).mean())


if __name__ == "__main__":
    main()
