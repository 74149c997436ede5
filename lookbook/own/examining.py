"""Each photo read once: its hash, whether it can be decoded, and what it looks like in small.

What a file hashed to is remembered in the user's cache with its size and times, so that a folder
that has not changed is not read again.
"""

import csv
import hashlib
from collections.abc import Collection, Iterator
from itertools import chain, repeat
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from lookbook.foundation.files import replacing
from lookbook.foundation.parallel import in_parallel
from lookbook.foundation.places import cache_folder
from lookbook.own.scanning import Photo, Place, read_file
from lookbook.pictures.batch import process
from lookbook.pictures.decoding import Form
from lookbook.pictures.resizing import sharing_threads

AT_ONCE = 16  # photos a thread takes
LOOK = Form(image_size=32, channels=3, resize="stretch")  # enough for likeness and colour


class Examined(NamedTuple):
    """What is known of a photo once it was read.

    Attributes:
        photo: Which one.
        sha256: Of its bytes; '' if they could not be had.
        reason: In a few words why it cannot be used; '' if it can.
        grid: Its likeness, uint8 (GRID, GRID); None of a known or an unusable one.
        is_grey: Whether it has no colours.
        width: In pixels, turned upright; 0 of a known or an unusable one.
        height: Likewise.
    """

    photo: Photo
    sha256: str
    reason: str
    grid: np.ndarray | None
    is_grey: bool
    width: int
    height: int


class Hashes:
    """The hashes of files on this machine, by path, size and times."""

    def __init__(self, dataset: str):
        """Read what is remembered for a set."""
        self._path = cache_folder(dataset) / "hashes.csv"
        self._known: dict[str, str] = {}
        self._seen: dict[str, str] = {}
        if self._path.is_file():
            with self._path.open(encoding="utf-8", newline="") as file:
                self._known = {row[0]: row[1] for row in csv.reader(file) if len(row) == 2}

    def find(self, photo: Photo) -> str | None:
        """Return a file's hash, if it is as it was when it was hashed."""
        found = self._known.get(_key(photo)) if photo.path else None
        if found:
            self._seen[_key(photo)] = found
        return found

    def note(self, photo: Photo, sha256: str) -> None:
        """Remember a file's hash."""
        if photo.path:
            self._seen[_key(photo)] = sha256

    def keep(self) -> None:
        """Write down what was found and noted."""
        kept = self._known | self._seen
        with (
            replacing(self._path, shared=True) as partial,
            partial.open("w", encoding="utf-8", newline="") as f,
        ):
            csv.writer(f, lineterminator="\n").writerows(kept.items())


def examine(places: list[Place], known: Collection[str], hashes: Hashes) -> Iterator[Examined]:
    """Read the photos of all places on all cores, in their order; known ones only if need be.

    Args:
        places: Where they are.
        known: Ids of photos that the set has.
        hashes: What files hashed to before.
    """

    def of_file(photo: Photo) -> Examined:
        found = hashes.find(photo)
        if found and found[:16] in known:
            return Examined(photo, found, "", None, False, 0, 0)
        return _examined(photo, read_file(photo), known)

    def of_content(entry: tuple[Photo, bytes | str]) -> Examined:
        return _examined(*entry, known)

    total = sum(len(place.photos) for place in places)
    bar = tqdm(total=total, unit=" photos", desc="looking", disable=None, leave=False)
    with sharing_threads(), bar:
        for place in places:
            if place.archive is None:
                results = in_parallel(of_file, place.photos, AT_ONCE)
            else:
                contents = chain(place.contents(), repeat("gone"))
                pairs = zip(place.photos, contents, strict=False)
                results = in_parallel(of_content, pairs, AT_ONCE)
            for result in results:
                if result.sha256:
                    hashes.note(result.photo, result.sha256)
                bar.update()
                yield result


def _examined(photo: Photo, content: bytes | str, known: Collection[str]) -> Examined:
    if isinstance(content, str):
        return Examined(photo, "", content, None, False, 0, 0)
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256[:16] in known:
        return Examined(photo, sha256, "", None, False, 0, 0)
    seen = process([content], LOOK)
    if seen.faults:
        return Examined(photo, sha256, seen.faults[0][1], None, False, 0, 0)
    pixels = seen.pixels[0]
    is_grey = bool((pixels == pixels[..., :1]).all())
    width, height = map(int, seen.sizes[0])
    return Examined(photo, sha256, "", seen.grids[0], is_grey, width, height)


def _key(photo: Photo) -> str:
    assert photo.path is not None
    return f"{photo.path.absolute()}:{photo.size}:{photo.changed}"
