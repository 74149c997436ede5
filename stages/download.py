"""Bring the chosen data set's published files here.

In: the card that `dataset` names, in data/cards. Out: its files in data/raw, verified.

    python -m stages.download        2 s for digits; the others as the network allows
"""

from pathlib import Path

from lookbook.datasets.cards import load_card
from lookbook.foundation.errors import explains_errors
from lookbook.foundation.files import replacing, write_metrics
from lookbook.foundation.params import load_params
from lookbook.sources import fetch

RAW = Path("data/raw")
METRICS = Path("metrics/download.json")


@explains_errors
def main() -> None:
    """Fetch the files and count them."""
    dataset = load_params().dataset
    card = load_card(dataset)
    with replacing(RAW) as folder:
        folder.mkdir()
        fetch(dataset, card, folder)
    sizes = [path.stat().st_size for path in RAW.iterdir()]
    write_metrics(METRICS, {"files": len(sizes), "bytes": sum(sizes)})


if __name__ == "__main__":
    main()
