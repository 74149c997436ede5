"""Say what is new, changed or gone where a set of your own came from.

    lookbook status pets
    lookbook status pets ~/more

Sizes and times are looked at first, and only files whose sizes or times are new are read. Nothing
is changed; `lookbook add pets` takes in what is new.
"""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", help="of the set")
    parser.add_argument("places", nargs="*", metavar="PLACE", help="others than the card names")


def run(arguments: argparse.Namespace) -> None:
    """Compare; print a line for each kind of difference."""
    from lookbook.own.comparing import compare
    from lookbook.own.telling import first, left_out

    found = compare(arguments.name, arguments.places)
    for kind, names in found.differences().items():
        print(f"{len(names):,} {kind}: {first(names)}")
    for line in left_out(found.left_out):
        print(line)
    print(f"{found.same:,} photos are as they were taken in")
