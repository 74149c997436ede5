"""Rename, merge or order the classes of a set of your own.

    lookbook classes pets                               what there is, in label order
    lookbook classes pets --rename kitten=cat
    lookbook classes pets --merge kitten,cat=cat
    lookbook classes pets --order dog,cat

A class that is renamed keeps its label number. The places that the photos came from may keep the
old names: `lookbook add` understands them.
"""

import argparse

from lookbook.foundation.errors import LookbookError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", help="of the set")
    parser.add_argument("--rename", action="append", default=[], metavar="OLD=NEW")
    parser.add_argument("--merge", action="append", default=[], metavar="A,B=C")
    parser.add_argument("--order", default="", metavar="A,B,...", help="new label numbers")


def run(arguments: argparse.Namespace) -> None:
    """Change the classes, or list them."""
    from lookbook.datasets.packs import read_list, set_folder
    from lookbook.own.changing import change_classes
    from lookbook.own.keeping import known_own
    from lookbook.own.telling import classes

    rename = [_pair(entry, "--rename") for entry in arguments.rename]
    merge = [(olds.split(","), new) for olds, new in (_pair(e, "--merge") for e in arguments.merge)]
    order = arguments.order.split(",") if arguments.order else []
    if rename or merge or order:
        _, told = change_classes(arguments.name, rename=rename, merge=merge, order=order)
        print(f"staged in Git: {', '.join(map(str, told))}; commit them")
    names = known_own(arguments.name)["classes"]
    table = read_list(set_folder(arguments.name))
    print("\n".join(classes(table, table.iloc[:0], names)))


def _pair(entry: str, option: str) -> tuple[str, str]:
    old, equals, new = entry.partition("=")
    if not (old and equals and new):
        raise LookbookError(f"Expected old and new name as {option} OLD=NEW. Received: {entry!r}.")
    return old, new
