"""Make a data set of your own pictures.

    python -m lookbook.add pets ~/photos            a folder with one folder a class
    python -m lookbook.add pets ~/photos.zip        an archive of it: zip, tar, tar.gz
    python -m lookbook.add pets https://example.org/photos.zip
    python -m lookbook.add pets --accept            take the version that is there now

It looks through the pictures and writes a card into data/datasets.yaml, with their hash, classes
and counts; then `dvc exp run -S dataset=pets` takes them through the pipeline. The pictures stay
where they are. When they change, the next run stops and says how, until the change is accepted.
"""

import argparse
import hashlib
import io
import logging
import re
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import urlsplit

import pooch
import requests
import yaml
from PIL import Image

from lookbook.archives import MAX_PICTURE_BYTES, is_archive, is_picture, read_members
from lookbook.cards import CARDS, Card
from lookbook.errors import LookbookError, explains_errors
from lookbook.files import replacing, sha256_of
from lookbook.own import OWN, Entry, difference, list_content, list_path, read_list, scan
from lookbook.parallel import map_in_order
from lookbook.pictures import FORMATS
from lookbook.places import cache_folder
from lookbook.readers.images import arrange
from lookbook.sources.http import TIMEOUT
from lookbook.validation import read_yaml, validated

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
FEWEST = 3  # pictures of a class: one for each split
GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B")
WATCH = OWN / "dvc.yaml"
WATCH_STAGE = """\
# Made by `python -m lookbook.add`. Looks whether your own data changed, before each run.
stages:
  watch:
    cmd: python -m lookbook.watch
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


class Found(NamedTuple):
    """What is there now.

    Attributes:
        path: The folder or archive, on this machine.
        entries: The files in it.
        source: The card's `source`.
        file: The card's one file: name, size, SHA-256.
    """

    path: Path
    entries: list[Entry]
    source: dict
    file: dict


def look_at(dataset: str, place: str) -> Found:
    """Look at a folder, an archive or an address.

    Raises:
        LookbookError: If there is nothing of the kind.
    """
    if place.startswith(("http://", "https://")):
        path = _downloaded(dataset, place)
        source = {"kind": "http", "origins": [place.rpartition("/")[0]]}
    else:
        path = Path(place).expanduser()
        source = {"kind": "local", "path": _portable(path)}
        if not path.is_dir() and not (path.is_file() and is_archive(path.name)):
            kind = "a file of another kind" if path.exists() else "no such file or folder"
            raise LookbookError(
                "Expected a folder with one folder a class, or a zip, tar or tar.gz archive of it. "
                f"Received: {place}, {kind}. Name the folder or archive."
            )
    entries = scan(path, dataset)
    if path.is_dir():
        content = list_content(entries)
        digest = hashlib.sha256(content).hexdigest()
        file = {"name": f"{dataset}.csv", "bytes": len(content), "sha256": digest}
    else:
        file = {"name": path.name, "bytes": path.stat().st_size, "sha256": sha256_of(path)}
    return Found(path, entries, source, file)


def card_for(dataset: str, found: Found) -> dict:
    """Return the card of pictures that nobody has described before.

    Raises:
        LookbookError: If they are not sorted into classes of enough pictures each.
    """
    if found.path.is_dir():
        _check_no_folder_is_empty(found.path)
    places = arrange([entry.file for entry in found.entries])
    counts = Counter(place.folder.strip() for place in places.values())
    rarest = min(counts, key=counts.get)
    if counts[rarest] < FEWEST:
        raise LookbookError(
            f"Expected at least {FEWEST} pictures of every class, one for each split. Received: "
            f"{counts[rarest]} of {rarest!r}. Add pictures of it, or take its folder out."
        )
    pictures = [entry.file for entry in found.entries if is_picture(entry.file)]
    grey = all(map_in_order(_is_grey, _contents(found.path, pictures)))
    return {
        "title": f"{dataset}, pictures of our own",
        "licence": "not stated",
        "homepage": "not stated",
        "classes": sorted(counts),
        "counts": {name: counts[name] for name in sorted(counts)},
        "flips": not grey,  # photos may be mirrored; grey scans may be letters
        "files": [found.file],
        "source": found.source,
        "reader": {"kind": "images", "channels": 1 if grey else 3},
    }


def accepted(old: dict, new: dict) -> dict:
    """Return the card of a new version: what people may have edited stays as it is."""
    same_classes = sorted(old["classes"]) == new["classes"]
    edited = ("title", "licence", "homepage", "flips", "reader")
    kept = {key: old[key] for key in edited if key in old}
    return new | kept | ({"classes": old["classes"]} if same_classes else {})


def write_card(dataset: str, card: dict, path: Path = CARDS) -> None:
    """Put a card into data/datasets.yaml, in its old place or at the end; the rest stays as it is.

    Args:
        dataset: The card's name.
        card: Its content.
        path: The file of cards.
    """
    text = path.read_text(encoding="utf-8")
    entry = yaml.safe_dump({dataset: card}, sort_keys=False, allow_unicode=True, width=100)
    old = re.compile(rf"^{re.escape(dataset)}:\n(?:[ ].*\n|\n)*", re.MULTILINE)
    replaced, count = old.subn(lambda _: entry + "\n", text)
    text = replaced.rstrip("\n") + "\n" if count else text.rstrip("\n") + "\n\n" + entry
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _downloaded(dataset: str, address: str) -> Path:
    """Download an archive into the cache, where the download stage finds it."""
    parts = urlsplit(address)
    name = PurePosixPath(parts.path).name
    if parts.query or parts.fragment or "@" in parts.netloc or not is_archive(name):
        shown = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
        raise LookbookError(
            "Expected an address that ends with the name of a zip, tar or tar.gz archive, without "
            "a question mark, user name or password, since it will stand on the card. Received: "
            f"{shown}. Download the archive and name its path instead."
        )
    path = cache_folder(dataset) / name
    try:
        with replacing(path) as partial:
            pooch.HTTPDownloader(timeout=TIMEOUT)(address, partial, None)
    except (requests.RequestException, ValueError) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        received = f"HTTP status {status}" if status else type(error).__name__
        raise LookbookError(
            f"Expected to download {address}. Received: {received}. Check the address and the "
            "network, or download the archive and name its path instead."
        ) from None
    return path


def _check_no_folder_is_empty(path: Path) -> None:
    empty = [
        folder.name
        for folder in sorted(path.iterdir())
        if folder.is_dir() and not any(is_picture(file.name) for file in folder.rglob("*"))
    ]
    if empty or not any(path.iterdir()):
        received = f"none in {', '.join(map(repr, empty))}" if empty else "an empty folder"
        raise LookbookError(
            f"Expected pictures in every folder of {path}. Received: {received}. Add pictures, or "
            "take the folder away."
        )


def _contents(path: Path, names: list[str]) -> Iterable[bytes | str | Path]:
    if path.is_dir():
        return (path / name for name in names)
    return read_members(path, set(names), MAX_PICTURE_BYTES)


def _is_grey(content: bytes | str | Path) -> bool:
    """Whether a picture has no colours; true for one that cannot be opened."""
    try:
        file = io.BytesIO(content) if isinstance(content, bytes) else content
        with Image.open(file, formats=FORMATS) as picture:
            return picture.mode in GREY_MODES
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return True


def _portable(path: Path) -> str:
    """Return a path that also holds in a copy of the project, as DVC's temporary runs are."""
    path, home = path.absolute(), Path.home()
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)


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
            f"{'a published one' if known else 'unknown'}. Add it: python -m lookbook.add "
            f"{dataset} FOLDER"
        )
    if known and not accept:
        remedy = (
            f"To take its new version: python -m lookbook.add {dataset} --accept. " if own else ""
        )
        raise LookbookError(
            f"Expected a new name. Received: {dataset!r}, which is in {CARDS}. {remedy}"
            "Choose another name."
        )
    if not place and not accept:
        raise LookbookError(
            f"Expected where the pictures are: python -m lookbook.add {dataset} FOLDER. Received: "
            "nothing. Name a folder, an archive or an http(s) address."
        )
    return place or _place_of(cards[dataset])


@explains_errors
def main() -> None:
    """Look through the pictures, write the card and the list of files."""
    parser = argparse.ArgumentParser(prog="python -m lookbook.add", description=__doc__)
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
