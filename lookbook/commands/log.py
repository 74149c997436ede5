"""List the versions of a set of your own: when, how many photos of each class, what for.

    lookbook log pets

From the history of its card in Git; `dvc params diff` shows two versions side by side.
"""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", help="of the set")


def run(arguments: argparse.Namespace) -> None:
    """Print the table."""
    from lookbook.drawing.tables import as_markdown
    from lookbook.own.history import versions
    from lookbook.own.keeping import known_own

    known_own(arguments.name)
    print(as_markdown(versions(arguments.name)))
