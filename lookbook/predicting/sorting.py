"""Pictures copied into one folder a class, by what the model answered."""

import os
import re
import shutil
from pathlib import Path

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import replacing
from lookbook.inference.answers import WORDS
from lookbook.pictures.decoding import Fault
from lookbook.predicting.answering import Answered

LONGEST = 180  # bytes of a copy's name before its suffix; file systems take 255 in all


def folder_names(class_names: list[str]) -> dict[str, str]:
    """Return a folder's name for each answer: safe, and no two the same."""
    names: dict[str, str] = {}
    taken = set()
    for answer in dict.fromkeys([*WORDS.values(), *class_names]):
        plain = re.sub(r'[/\\:*?"<>|]|[^\x20-\U0010ffff]', "_", answer).strip(". ") or "_"
        name, number = plain, 2
        while name.casefold() in taken:
            name, number = f"{plain}-{number}", number + 1
        taken.add(name.casefold())
        names[answer] = name
    return names


class Sorter:
    """Copies pictures into one folder an answer; nothing is ever overwritten.

    Attributes:
        copied: How many were copied although links were wanted.
    """

    def __init__(self, folder: Path, class_names: list[str], *, links: bool):
        self.folder, self.links, self.copied = folder, links, 0
        self.names = folder_names(class_names)

    def take(self, answered: Answered) -> None:
        """Copy or link a picture that could be read."""
        if isinstance(answered.said, Fault) or answered.content is None:
            return
        target = self._free(answered.found.name, self.names[answered.said.answer])
        source = answered.found.source
        if self.links and isinstance(source, Path):
            try:
                os.link(source.resolve(), target)
                return
            except OSError:  # another file system, or one without links
                pass
        self.copied += self.links
        with replacing(target) as partial:
            partial.write_bytes(answered.content)
            if isinstance(source, Path) and source.exists():
                shutil.copystat(source, partial)

    def _free(self, name: str, folder: str) -> Path:
        """Return a path at which there is nothing yet; the folder is made."""
        last = re.split(r"[/\\]|::", name)[-1].lstrip(".") or "picture"
        stem, suffix = os.path.splitext(last)  # noqa: PTH122  # a name, not a path
        stem = os.fsencode(stem)[:LONGEST].decode(errors="ignore")  # room for a number and more
        last = stem + suffix
        parent = self.folder / folder
        parent.mkdir(parents=True, exist_ok=True)
        target, number = parent / last, 2
        while os.path.lexists(target):
            target, number = parent / f"{stem}-{number}{suffix}", number + 1
        return target


def check_outside(folder: Path, places: list[str]) -> None:
    """Raise a LookbookError if copies would be found as pictures themselves."""
    for place in places:
        if folder.resolve().is_relative_to(Path(place).resolve()):
            raise LookbookError(
                f"Expected --sort-into outside of what is looked at. Received: {folder}, which "
                f"lies in {place}. Name another folder."
            )
