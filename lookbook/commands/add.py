"""Make a data set of your own pictures.

    python -m lookbook.commands.add pets ~/photos            a folder with one folder a class
    python -m lookbook.commands.add pets ~/photos.zip        an archive of it: zip, tar, tar.gz
    python -m lookbook.commands.add pets https://example.org/photos.zip
    python -m lookbook.commands.add pets --accept            take the version that is there now

It looks through the pictures and writes a card into data/datasets.yaml, with their hash, classes
and counts; then `dvc exp run -S dataset=pets` takes them through the pipeline. The pictures stay
where they are. When they change, the next run stops and says how, until the change is accepted.
"""

import argparse
import logging
import re
import subprocess
from pathlib import Path

from lookbook.datasets.cards import CARDS, Card
from lookbook.foundation.errors import LookbookError, explains_errors
from lookbook.foundation.files import replacing
from lookbook.foundation.schema import read_yaml, validated
from lookbook.own.adding import accepted, card_for, look_at, write_card
from lookbook.own.files import OWN, difference, list_content, list_path, read_list

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
WATCH = OWN / "dvc.yaml"
WATCH_STAGE = """\
# Made by `python -m lookbook.commands.add`. Looks whether your own data changed, before each run.
stages:
  watch:
    cmd: python -m lookbook.own.watch
    wdir: ../..
    params:
      - dataset
    always_changed: true
    outs:
      - data/own/watched.json:
          cache: false
          persist: true
"""
logger = logging.getLogger("add")


def _place_of(card: dict) -> str:
    source = card["source"]
    if source["kind"] == "local":
        return source["path"]
    return f"{source['origins'][0]}/{card['files'][0]['name']}"


def _stage_in_git(paths: list[Path]) -> None:
    """Let Git know the files: DVC's temporary and queued runs copy only what Git knows."""
    command = ["git", "add", "--", *map(str, paths)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        return
    if done.returncode == 0:
        logger.info("staged in Git: %s; commit them", ", ".join(map(str, paths)))


def _checked_place(dataset: str, place: str | None, accept: bool, cards: dict) -> str:
    """Return where to look, or say why the command makes no sense."""
    if not NAME.fullmatch(dataset):
        raise LookbookError(
            "Expected a name of letters, digits, _ and -, beginning with a letter. Received: "
            f"{dataset!r}. Choose another."
        )
    known, own = dataset in cards, list_path(dataset).is_file()
    if accept and not own:
        raise LookbookError(
            f"Expected the name of a data set of your own. Received: {dataset!r}, which is "
            f"{'a published one' if known else 'unknown'}. Add it: python -m lookbook.commands.add "
            f"{dataset} FOLDER"
        )
    if known and not accept:
        remedy = (
            f"To take its new version: python -m lookbook.commands.add {dataset} --accept. "
            if own
            else ""
        )
        raise LookbookError(
            f"Expected a new name. Received: {dataset!r}, which is in {CARDS}. {remedy}"
            "Choose another name."
        )
    if not place and not accept:
        raise LookbookError(
            f"Expected where the pictures are: python -m lookbook.commands.add {dataset} FOLDER. Received: "
            "nothing. Name a folder, an archive or an http(s) address."
        )
    return place or _place_of(cards[dataset])


@explains_errors
def main() -> None:
    """Look through the pictures, write the card and the list of files."""
    parser = argparse.ArgumentParser(prog="python -m lookbook.commands.add", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("name", help="what `dataset` in params.yaml will be")
    parser.add_argument("place", nargs="?", help="folder, archive or http(s) address")
    parser.add_argument("--accept", action="store_true", help="take the version of now")
    arguments = parser.parse_args()
    dataset, cards = arguments.name, read_yaml(CARDS)
    place = _checked_place(dataset, arguments.place, arguments.accept, cards)
    found = look_at(dataset, place)
    card = card_for(dataset, found)
    if arguments.accept:
        card = accepted(cards[dataset], card)
        changes = difference(read_list(list_path(dataset)), found.entries)
        logger.info("%s: %s", dataset, changes or "no picture has changed")
    validated(Card, card, path=CARDS, prefix=dataset)
    changed = [CARDS, list_path(dataset)]
    with replacing(list_path(dataset)) as partial:
        partial.write_bytes(list_content(found.entries))
    write_card(dataset, card)
    if found.source["kind"] == "local":
        with replacing(WATCH) as partial:
            partial.write_text(WATCH_STAGE, encoding="utf-8")
        changed.append(WATCH)
    others = sum(not entry.sha256 for entry in found.entries)
    counts = ", ".join(f"{name} {count:,}" for name, count in card["counts"].items())
    logger.info("%s: %s; %d other files; card in %s", dataset, counts, others, CARDS)
    _stage_in_git(changed)
    first = f"dvc exp run -S dataset={dataset} -S preprocess.image_size=64"
    logger.info("now: %s", "dvc repro" if arguments.accept else first)


if __name__ == "__main__":
    main()
