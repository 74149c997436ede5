"""Cut the base for transfer learning out of a network that train_cnn trained."""

import logging
import sys
from pathlib import Path

from lookbook.foundation.errors import LookbookError, explains_errors
from lookbook.networks.saving import load_keras, save_keras
from lookbook.transfer.bases import cut_base

logger = logging.getLogger(__name__)


@explains_errors
def main() -> None:
    """Cut the base out of the model file named first, and save it as the file named second."""
    if len(sys.argv) != 3:
        raise LookbookError(
            "Expected two files: python -m lookbook.bases MODEL.keras BASE.keras. Received: "
            f"{len(sys.argv) - 1}."
        )
    source, target = map(Path, sys.argv[1:])
    model = load_keras(source, remedy="Run `dvc repro train_cnn`.")
    save_keras(cut_base(model), target)
    logger.info("%s: %d bytes", target, target.stat().st_size)


if __name__ == "__main__":
    main()
