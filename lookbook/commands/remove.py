"""Withdraw photos from a set of your own.

    lookbook remove pets 'cats/holiday-*'       a pattern of names
    lookbook remove pets cats/1.jpg 3fa9...     names or ids
    lookbook remove pets withdrawn.txt          a file with one of these a line
    lookbook remove pets cats/1.jpg --purge     their bytes too
    lookbook remove pets --purge                the bytes of those that were withdrawn before

Without --purge their bytes stay in the packs, out of use. With it the packs that hold them are
rewritten. Older versions in DVC's cache and in remotes still have them: docs/own-photos.md says how
they are erased there.
"""

import argparse

from lookbook.foundation.errors import LookbookError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", help="of the set")
    parser.add_argument("photos", nargs="*", metavar="PHOTO", help="name, id, pattern or list")
    parser.add_argument("--purge", action="store_true", help="rewrite the packs without them")


def run(arguments: argparse.Namespace) -> None:
    """Withdraw the photos, say which."""
    from lookbook.own.changing import remove
    from lookbook.own.telling import counted, first

    if not arguments.photos and not arguments.purge:
        raise LookbookError(
            "Expected photos to withdraw: names, ids, patterns or a list. Received: none. With "
            "--purge alone, the bytes of those that were withdrawn before go."
        )
    removed = remove(arguments.name, arguments.photos, purge=arguments.purge)
    if removed.names:
        print(f"withdrawn: {counted(len(removed.names), 'photo')}: {first(removed.names)}")
        print(f"to have one back: lookbook add {arguments.name} PLACE --take-back")
    if arguments.purge:
        print(f"rewritten: {counted(removed.packs, 'pack')}; older versions still have the photos:")
        print("docs/own-photos.md says how to erase them from history, cache and remotes")
    print(f"staged in Git: {', '.join(map(str, removed.told))}; commit them")
