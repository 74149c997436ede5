"""Has the user's own data changed since it was accepted? Run by data/own/dvc.yaml before download.

    python -m lookbook.own.watch

Leaves data/own/watched.json, which names the accepted version of the active data set if it is one
of the user's own, so that DVC runs download after this. A folder that is not on this machine is not
watched: the version that was accepted and pushed is what a colleague works with.
"""

import logging
from pathlib import Path

from lookbook.datasets.cards import load_card
from lookbook.foundation.errors import explains_errors
from lookbook.foundation.files import write_json
from lookbook.foundation.params import load_params
from lookbook.own.files import check_unchanged, source_path

WATCHED = Path("data/own/watched.json")

logger = logging.getLogger("watch")


@explains_errors
def main() -> None:
    """Stop if the active data set is the user's own and has changed."""
    dataset = load_params().dataset
    card = load_card(dataset)
    if card.source.kind != "local":
        write_json(WATCHED, {})
        return
    if source_path(card).exists():
        check_unchanged(dataset, card)
    else:
        logger.info("%s is not on this machine: nothing to watch", card.source.path)
    write_json(WATCHED, {dataset: card.files[0].sha256})


if __name__ == "__main__":
    main()
