"""Look through pictures that nobody has described, and write their card."""

import hashlib
import io
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import urlsplit

import pooch
import requests
from PIL import Image

from lookbook.datasets.archives import MAX_PICTURE_BYTES, is_archive, is_picture, read_members
from lookbook.datasets.cards import card_path, known_cards
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import replacing, sha256_of
from lookbook.foundation.parallel import in_parallel
from lookbook.foundation.places import cache_folder
from lookbook.foundation.schema import read_yaml
from lookbook.own.files import OWN, Entry, list_content, list_path, scan
from lookbook.pictures.decoding import FORMATS
from lookbook.readers.images import arrange

FEWEST = 3  # pictures of a class: one for each split
TIMEOUT = 30  # seconds without a byte
GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B")

WATCH = OWN / "dvc.yaml"
WATCH_STAGE = """\
# Made by `lookbook add`. Looks whether your own data changed, before each run.
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
    rarest = min(counts, key=lambda name: counts[name])
    if counts[rarest] < FEWEST:
        raise LookbookError(
            f"Expected at least {FEWEST} pictures of every class, one for each split. Received: "
            f"{counts[rarest]} of {rarest!r}. Add pictures of it, or take its folder out."
        )
    pictures = [entry.file for entry in found.entries if is_picture(entry.file)]
    grey = all(in_parallel(_is_grey, _contents(found.path, pictures)))
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


def stage_in_git(paths: list[Path]) -> bool:
    """Let Git know the files: DVC's temporary and queued runs copy only what Git knows."""
    command = ["git", "add", "--", *map(str, paths)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def checked_place(dataset: str, place: str | None, *, accept: bool) -> str:
    """Return where to look, or say why the command makes no sense."""
    path, own = card_path(dataset), list_path(dataset).is_file()
    # Names that differ in case only are one file on some systems.
    known = dataset.casefold() in map(str.casefold, known_cards())
    if accept and not own:
        raise LookbookError(
            f"Expected the name of a data set of your own. Received: {dataset!r}, which is "
            f"{'a published one' if known else 'unknown'}. Add it: lookbook add {dataset} FOLDER"
        )
    if known and not accept:
        remedy = f"To take its new version: lookbook add {dataset} --accept. " if own else ""
        raise LookbookError(
            f"Expected a new name. Received: {dataset!r}, which {path} has. {remedy}"
            "Choose another name."
        )
    if not place and not accept:
        raise LookbookError(
            f"Expected where the pictures are: lookbook add {dataset} FOLDER. Received: nothing. "
            "Name a folder, an archive or an http(s) address."
        )
    return place or _place_of(read_yaml(path))
