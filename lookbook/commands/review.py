"""Show which labels are doubtful on one page, and decide there.

    lookbook review                      writes review.html: open it in a browser
    lookbook review --test               test pictures too: opens the test split
    lookbook review pets.html --most 50

Looks at the splits in data/processed through the base of the section train_transfer: a picture is a
suspect if the others, by cross-validation and among its neighbours, give it another label. Test
pictures, with --test alone, are judged by all of training and validation. The page saves a patch,
which `lookbook relabel` keeps.
"""

import argparse
from pathlib import Path

from lookbook.foundation.errors import LookbookError

MOST = 200


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("page", nargs="?", type=Path, default=Path("review.html"), help="to write")
    parser.add_argument("--most", type=int, default=MOST, metavar="N", help="suspects on the page")
    parser.add_argument("--test", action="store_true", help="review test pictures, too")


def run(arguments: argparse.Namespace) -> None:
    """Write the page; say what is on it."""
    from lookbook.datasets.cards import load_card
    from lookbook.foundation.params import load_params
    from lookbook.review.reviewing import OPENED, review

    if arguments.most < 1:
        raise LookbookError(f"Expected --most to be at least 1. Received: {arguments.most}.")
    params, path = load_params(), arguments.page
    card = load_card(params.dataset)
    found = review(params, card, path=path, most=arguments.most, test=arguments.test)
    if arguments.test:
        print(OPENED)
    print(f"{found.doubtful:,} labels are doubtful; on the page:")
    print(", ".join(f"{title.lower()}: {count:,}" for title, count in found.shown.items()))
    print(f"open {path} in a browser; then: lookbook relabel {params.dataset}-labels.csv")
