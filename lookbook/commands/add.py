"""Make a data set of your own pictures.

    lookbook add pets ~/photos            a folder with one folder a class
    lookbook add pets ~/photos.zip        an archive of it: zip, tar, tar.gz
    lookbook add pets https://example.org/photos.zip
    lookbook add pets --accept            take the version that is there now

It looks through the pictures and writes a card, data/cards/pets.yaml, with their hash, classes and
counts; then `dvc exp run -S dataset=pets` takes them through the pipeline. The pictures stay
where they are. When they change, the next run stops and says how, until the change is accepted.
"""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", help="what `dataset` in params.yaml will be")
    parser.add_argument("place", nargs="?", help="folder, archive or http(s) address")
    parser.add_argument("--accept", action="store_true", help="take the version of now")


def run(arguments: argparse.Namespace) -> None:
    """Look through the pictures, write the card and the list of files."""
    from lookbook.datasets.cards import Card, card_path
    from lookbook.datasets.writing import write_card
    from lookbook.foundation.files import replacing, write_text
    from lookbook.foundation.schema import read_yaml, validated
    from lookbook.own.adding import (
        WATCH,
        WATCH_STAGE,
        accepted,
        card_for,
        checked_place,
        look_at,
        stage_in_git,
    )
    from lookbook.own.files import difference, list_content, list_path, read_list

    dataset, path = arguments.name, card_path(arguments.name)
    place = checked_place(dataset, arguments.place, accept=arguments.accept)
    found = look_at(dataset, place)
    card = card_for(dataset, found)
    if arguments.accept:
        card = accepted(read_yaml(path), card)
        changes = difference(read_list(list_path(dataset)), found.entries)
        print(f"{dataset}: {changes or 'no picture has changed'}")
    validated(Card, card, path=path)
    changed = [path, list_path(dataset)]
    with replacing(list_path(dataset)) as partial:
        partial.write_bytes(list_content(found.entries))
    write_card(path, card)
    if found.source["kind"] == "local":
        write_text(WATCH, WATCH_STAGE)
        changed.append(WATCH)
    others = sum(not entry.sha256 for entry in found.entries)
    counts = ", ".join(f"{name} {count:,}" for name, count in card["counts"].items())
    print(f"{dataset}: {counts}; {others} other files; card in {path}")
    if stage_in_git(changed):
        print(f"staged in Git: {', '.join(map(str, changed))}; commit them")
    first = f"dvc exp run -S dataset={dataset} -S preprocess.image_size=64"
    print(f"now: {'dvc repro' if arguments.accept else first}")
