"""A set against the places that it came from: what is new, changed, renamed or gone there."""

import hashlib
from typing import NamedTuple

from lookbook.datasets.cards import OwnSource
from lookbook.datasets.packs import read_list, read_notes, read_withdrawn, set_folder
from lookbook.foundation.parallel import in_parallel
from lookbook.own.examining import AT_ONCE, Hashes
from lookbook.own.keeping import known_own
from lookbook.own.scanning import Photo, Place, look, look_everywhere, manner_of, read_file


class Found(NamedTuple):
    """What is there, compared with what the set has.

    Attributes:
        new: Names of photos that the set does not have.
        changed: Names of photos that the set has with another content.
        renamed: Photos that the set has under another name, as `old is new`.
        gone: Names of photos of the set that are not there any more.
        left_out: Name and reason of each file that is no photo.
        same: How many photos are the same.
    """

    new: list[str]
    changed: list[str]
    renamed: list[str]
    gone: list[str]
    left_out: list[tuple[str, str]]
    same: int

    def differences(self) -> dict[str, list[str]]:
        """Return the names of each kind of difference that there is."""
        kinds = {
            "new": self.new,
            "changed": self.changed,
            "renamed": self.renamed,
            "gone": self.gone,
        }
        return {kind: names for kind, names in kinds.items() if names}


def compare(dataset: str, places: list[str]) -> Found:
    """Compare a set with places.

    Args:
        dataset: The set's name.
        places: Where to look; none: where the card says that it came from.

    Raises:
        LookbookError: If there is no such set or place.
    """
    card = known_own(dataset)
    source = OwnSource.model_validate(card["source"])
    table = read_list(set_folder(dataset))
    hashes = Hashes(dataset)
    manner = manner_of(source, card["classes"])
    if places:
        found = [look(dataset, place, manner) for place in places]
    else:
        found = look_everywhere(dataset, source.places, manner)
    noted = read_notes(set_folder(dataset))
    withdrawn = read_withdrawn(set_folder(dataset))
    seen = [pair for place in found for pair in _ids(place, hashes)]
    hashes.keep()
    name_of = dict(zip(table["id"], table["name"], strict=True))
    id_of = {name: photo for photo, name in name_of.items()}
    here, ids = {photo for _, photo in seen}, {name for name, _ in seen}
    others = [other for place in found for other in place.others]
    new, changed, renamed = [], [], []
    for name, photo in seen:
        if photo in name_of:
            if name_of[photo] != name and name_of[photo] not in ids:
                renamed.append(f"{name_of[photo]} is {name}")
        elif name in id_of:
            changed.append(name)
        elif photo in withdrawn:
            others.append((name, "withdrawn"))
        elif name in noted:
            others.append((name, noted[name]))
        else:
            new.append(name)
    gone = [name for photo, name in name_of.items() if photo not in here and name not in ids]
    return Found(new, changed, renamed, gone, others, len(here & set(name_of)))


def _ids(place: Place, hashes: Hashes) -> list[tuple[str, str]]:
    """Return name and id of each photo; files that are as they were are not read."""

    def of_file(photo: Photo) -> str:
        found = hashes.find(photo)
        return found or _hashed(read_file(photo))

    if place.archive is None:
        digests = in_parallel(of_file, place.photos, AT_ONCE)
    else:
        digests = in_parallel(_hashed, place.contents(), AT_ONCE)
    ids = []
    for photo, digest in zip(place.photos, digests, strict=True):
        if digest:
            hashes.note(photo, digest)
            ids.append((photo.name, digest[:16]))
    return ids


def _hashed(content: bytes | str) -> str:
    return hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else ""
