"""Take photos of your own into a data set, a new one or one that is there.

    lookbook add pets ~/photos               a folder with one folder a class
    lookbook add pets ~/photos.zip           an archive of it: zip, tar, tar.gz
    lookbook add pets https://example.org/photos.zip
    lookbook add pets s3://bucket/photos     a folder of a store: s3, gs, az, ssh, sftp
    lookbook add pets ~/photos/labels.csv    a CSV or TSV of file names and labels
    lookbook add pets ~/more ~/photos.zip    several of these
    lookbook add pets ~/more/cats            more of one class that there is
    lookbook add pets                        what is new where it came from
    lookbook add pets ~/photos --dry-run     what would be done

It is a snapshot, as `git add` makes one: the photos are copied into data/own/pets, which DVC keeps,
and where they came from is not needed any more. Photos that the set has are known by their
content. Each newcomer gets a split, which never changes; photos that are nearly the same stay in
one split together.
"""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", help="what `dataset` in params.yaml will be")
    parser.add_argument("places", nargs="*", metavar="PLACE", help="folder, archive, list, address")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")
    parser.add_argument("--resplit", action="store_true", help="give every photo its split anew")
    parser.add_argument("--take-back", action="store_true", help="photos that were withdrawn, too")
    parser.add_argument("--name-column", metavar="COLUMN", help="of a list: the file names")
    parser.add_argument("--label-column", metavar="COLUMN", help="of a list: the labels")
    parser.add_argument("--group-column", metavar="COLUMN", help="of a list: what stays together")
    parser.add_argument(
        "--group-pattern",
        metavar="REGEX",
        help="of a new set: photos in whose names it finds the same text stay together",
    )
    parser.add_argument(
        "--group-level",
        type=int,
        metavar="N",
        help="of a new set: photos of one folder stay together; 1: the folder that they are in",
    )


def run(arguments: argparse.Namespace) -> None:
    """Look through the photos, say what is found, take them in."""
    from lookbook.datasets.packs import NOTES, set_folder
    from lookbook.foundation.params import load_params
    from lookbook.own.adding import apply, plan
    from lookbook.own.scanning import Columns, grouping
    from lookbook.own.telling import about, size_of

    settings = load_params().preprocess
    planned = plan(
        arguments.name,
        arguments.places,
        columns=Columns(arguments.name_column, arguments.label_column, arguments.group_column),
        grouping=grouping(arguments.group_pattern, arguments.group_level),
        sizes=(settings.validation_size, settings.test_size),
        resplit=arguments.resplit,
        take_back=arguments.take_back,
    )
    told = [] if arguments.dry_run else apply(planned)  # before a word that a closed pipe may stop
    print("\n".join(about(planned)))
    if arguments.resplit:
        print("every photo gets its split anew: figures of before and after cannot be compared")
    if arguments.dry_run:
        print(f"to be copied: {size_of(planned.bytes)}; this was a dry run, nothing was done")
        return
    if not planned.changes:
        print("nothing has changed")
        return
    if planned.left_out or planned.bridges:
        print(f"who is named here in part is named in full in {set_folder(arguments.name) / NOTES}")
    print(f"copied: {size_of(planned.bytes)}; DVC keeps them: `dvc push` shares them")
    print(f"staged in Git: {', '.join(map(str, told))}; commit them")
    print(f"now: dvc exp run -S dataset={arguments.name}")
