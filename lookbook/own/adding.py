"""Take photos into a set: what would change (`plan`), and the change itself (`apply`).

A set is changed in this order: packs are written beside those that are there, the list is replaced,
then the card, then DVC and Git are told. A kill at any moment leaves the old list or the new one,
and the next command brings card and DVC after it.
"""

import hashlib
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lookbook.datasets.cards import OwnSource, card_path
from lookbook.datasets.grouping import kept_together
from lookbook.datasets.packs import (
    COLUMNS,
    read_list,
    read_notes,
    read_withdrawn,
    set_folder,
    write_list,
    write_notes,
    write_packs,
    write_withdrawn,
)
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.parallel import in_parallel
from lookbook.own.examining import AT_ONCE, Examined, Hashes, examine
from lookbook.own.keeping import bring_together, card_of, own_card
from lookbook.own.likenesses import keep_likenesses, likenesses
from lookbook.own.scanning import (
    Columns,
    Grouping,
    Photo,
    Place,
    check_class,
    look,
    look_everywhere,
    manner_of,
    read_file,
)
from lookbook.own.sharing import Shared, share_out
from lookbook.pictures.likeness import GRID
from lookbook.pictures.near import near_components
from lookbook.splits.spec import SPLITS

BRIDGE = "resembles photos of several splits; went to training"
FEWEST = 3  # photos of a class: one for each split
GROUP_THRESHOLD = 0.97  # a little below what audits call near: likenesses differ with the size
SPARE_BYTES = 64 * 2**20  # that are left free on the disk


class Plan(NamedTuple):
    """What taking in photos would change.

    Attributes:
        dataset: The set's name.
        card: Its card as it will be, but for what the list decides.
        old: Its list so far.
        table: Its list as it will be; newcomers come last, without `pack` and `member`.
        places: Where the newcomers are.
        newcomers: What is known of each, in the order of the list.
        grids: The likeness of each photo of `table`.
        known: How many photos the set had already.
        renamed: Photos that the set has under another name: old and new name.
        relabelled: Photos that are now of another class: name, old and new class.
        left_out: Name and reason of each file that is not taken in.
        near: How many newcomers have a near duplicate.
        shared: The newcomers' splits.
    """

    dataset: str
    card: dict
    old: pd.DataFrame
    table: pd.DataFrame
    places: list[Place]
    newcomers: list[Examined]
    grids: np.ndarray
    known: int
    renamed: list[tuple[str, str]]
    relabelled: list[tuple[str, str, str]]
    left_out: list[tuple[str, str]]
    near: int
    shared: Shared

    @property
    def bytes(self) -> int:
        """How much is to be copied."""
        return sum(newcomer.photo.size for newcomer in self.newcomers)

    @property
    def bridges(self) -> list[str]:
        """The names of newcomers that resemble photos of several splits."""
        arriving = self.table.iloc[len(self.table) - len(self.shared.splits) :]
        return arriving["name"].iloc[self.shared.bridges].tolist()

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.newcomers or self.renamed or self.relabelled) or not self.old.equals(
            self.table[COLUMNS]
        )


def plan(
    dataset: str,
    places: list[str],
    *,
    columns: Columns,
    grouping: Grouping,
    sizes: tuple[float, float],
    resplit: bool = False,
    take_back: bool = False,
) -> Plan:
    """Find out what taking in the photos of some places would change.

    Args:
        dataset: The set's name, of a new one or of one that is there.
        places: Folders, archives, addresses or lists; none: those that the card names.
        columns: Of lists.
        grouping: What keeps photos together, of a new set.
        sizes: The shares that validation and test get in a new set.
        resplit: Give every photo its split anew.
        take_back: Take in photos that were withdrawn, too.

    Raises:
        LookbookError: If there is nothing of the kind, or a class is too small.
    """
    card, folder = own_card(dataset), set_folder(dataset)
    if card is None:
        if not places:
            raise LookbookError(
                f"Expected where the photos are: lookbook add {dataset} FOLDER. Received: nothing. "
                "Name a folder, an archive, a list or an address."
            )
        source = OwnSource(
            kind="own",
            places=[],
            validation_size=sizes[0],
            test_size=sizes[1],
            group_pattern=grouping.pattern,
            group_level=grouping.level,
        )
        old = pd.DataFrame(columns=COLUMNS, dtype=str)
    else:
        source = OwnSource.model_validate(card["source"])
        asked = Grouping(source.group_pattern, source.group_level)
        if grouping not in (Grouping(), asked):
            raise LookbookError(
                f"Expected {asked}, as {card_path(dataset)} has it. Received: {grouping}. Change "
                f"the card, then: lookbook add {dataset} --resplit"
            )
        old = read_list(folder)
    said = {name: value for name, value in columns._asdict().items() if value}
    source = source.model_copy(update={f"{name}_column": value for name, value in said.items()})
    manner = manner_of(source, card["classes"] if card else [])
    if places:
        found = [look(dataset, place, manner) for place in places]
    else:
        found = look_everywhere(dataset, source.places, manner)
    hashes = Hashes(dataset)
    examined = list(examine(found, set(old["id"]), hashes))
    hashes.keep()
    withdrawn = {} if take_back else read_withdrawn(folder)
    sorted_out = _sort_out(examined, old, source.aliases, withdrawn)
    left_out = [other for place in found for other in place.others] + sorted_out.left_out
    table = pd.concat([sorted_out.old, sorted_out.new], ignore_index=True)
    _check_classes(table)
    seen = [one.grid for one in sorted_out.newcomers if one.grid is not None]
    before = likenesses(dataset, folder, old)
    grids = np.concatenate([before, np.array(seen, np.uint8).reshape(-1, GRID, GRID)])
    alike = near_components(grids, len(old), GROUP_THRESHOLD)
    components = kept_together(table, alike)
    kept, arriving = table.iloc[: len(old)], table.iloc[len(old) :]
    if resplit:
        kept, arriving = table.iloc[:0], table.assign(split="")
    shared = share_out(
        kept,
        arriving,
        components,
        validation_size=source.validation_size,
        test_size=source.test_size,
    )
    names = np.array(SPLITS, object)[shared.splits]
    table.loc[len(table) - len(names) :, "split"] = names
    near = _note_likeness(table, alike, shared.bridges + len(table) - len(names), len(old))
    labels = list(dict.fromkeys([*source.places, *(place.label for place in found)]))
    card = card_of(dataset, card, source.model_copy(update={"places": labels}), examined, table)
    return Plan(
        dataset, card, old, table, found, sorted_out.newcomers, grids, sorted_out.known,
        sorted_out.renamed, sorted_out.relabelled, left_out, near, shared,
    )  # fmt: skip


def apply(plan: Plan) -> list[Path]:
    """Make the change; return the files that Git should know.

    Raises:
        LookbookError: If the disk is too small, or a photo changes while it is read.
    """
    folder = set_folder(plan.dataset)
    _check_space(folder.parent, plan.bytes)
    folder.mkdir(exist_ok=True)
    contents = _contents(plan)
    table = plan.table.copy()
    if plan.newcomers:
        packed = list(write_packs(folder, contents))
        first = len(table) - len(packed)
        table.loc[first:, "pack"] = [photo.pack for photo in packed]
        table.loc[first:, "member"] = [photo.member for photo in packed]
    if plan.changes:
        notes = read_notes(folder) | dict(plan.left_out) | dict.fromkeys(plan.bridges, BRIDGE)
        write_notes(folder, notes)
        back = set(table["id"])
        withdrawn = read_withdrawn(folder)
        if back & set(withdrawn):
            kept = {photo: day for photo, day in withdrawn.items() if photo not in back}
            write_withdrawn(folder, kept)
        write_list(folder, table)
    keep_likenesses(plan.dataset, table["id"].tolist(), plan.grids)
    return bring_together(plan.dataset, plan.card)


class _SortedOut(NamedTuple):
    old: pd.DataFrame
    new: pd.DataFrame
    newcomers: list[Examined]
    known: int
    renamed: list[tuple[str, str]]
    relabelled: list[tuple[str, str, str]]
    left_out: list[tuple[str, str]]


def _sort_out(
    examined: list[Examined],
    old: pd.DataFrame,
    aliases: dict[str, str],
    withdrawn: Collection[str],
) -> _SortedOut:
    """Tell newcomers from photos that the set has, and both from what must be left out."""
    old = old.copy()
    row_of = {photo: row for row, photo in enumerate(old["id"])}
    here = {one.photo.name for one in examined}
    said: dict[str, dict[str, Examined]] = {}  # by id, then by class: the first that says so
    left_out = []
    for one in examined:
        name = aliases.get(one.photo.class_name, one.photo.class_name)
        if one.reason:
            left_out.append((one.photo.name, one.reason))
            continue
        if one.sha256[:16] in withdrawn:
            left_out.append((one.photo.name, "withdrawn"))
            continue
        by_class = said.setdefault(one.sha256[:16], {})
        if name in by_class:
            if one.sha256[:16] not in row_of:
                left_out.append((one.photo.name, f"the same as {by_class[name].photo.name}"))
        else:
            by_class[name] = one
    renamed, relabelled, newcomers, rows, known = [], [], [], [], 0
    for photo, by_class in said.items():
        names = [one.photo.name for one in by_class.values()]
        if len(by_class) > 1:
            reason = f"of two classes: {' and '.join(by_class)}"
            left_out += [(name, reason) for name in names]
            continue
        ((name, one),) = by_class.items()
        row = row_of.get(photo)
        if row is None:
            newcomers.append(one)
            published, group = one.photo.published, one.photo.group
            rows.append((photo, one.photo.name, name, group, "", published, "", ""))
            continue
        known += 1
        before = old.at[row, "name"]
        if before != one.photo.name and before not in here:
            renamed.append((before, one.photo.name))
            old.at[row, "name"] = one.photo.name
        if old.at[row, "class"] != name:
            relabelled.append((one.photo.name, old.at[row, "class"], name))
            old.at[row, "class"] = name
    new = pd.DataFrame(rows, columns=COLUMNS, dtype=str)
    return _SortedOut(old, new, newcomers, known, renamed, relabelled, left_out)


def _check_classes(table: pd.DataFrame) -> None:
    counts = Counter(table["class"])
    for name in counts:
        check_class(name)
    folded: dict[str, str] = {}
    for name in counts:
        other = folded.setdefault(name.casefold(), name)
        if other != name:
            raise LookbookError(
                f"Expected classes of different names. Received: {other!r} and {name!r}, the same "
                "but for case. Rename one."
            )
    if len(counts) < 2:
        received = f"the one class {next(iter(counts))!r}" if counts else "none that can be read"
        raise LookbookError(
            f"Expected photos of at least two classes. Received: {received}. Add another folder."
        )
    rarest = min(counts, key=lambda name: counts[name])
    if counts[rarest] < FEWEST:
        raise LookbookError(
            f"Expected at least {FEWEST} pictures of every class, one for each split. Received: "
            f"{counts[rarest]} of {rarest!r}. Add pictures of it, or take its folder out."
        )


def _note_likeness(table: pd.DataFrame, alike: np.ndarray, bridges: np.ndarray, known: int) -> int:
    """Write which photos are alike, by the eldest of them; return how many newcomers have such.

    A bridge is like photos of several splits, and so joins none of them.
    """
    company = np.bincount(alike, minlength=1)[alike] > 1
    eldest = table["alike"].where(table["alike"] != "", table["id"]).groupby(alike)
    names = eldest.transform("first")
    told = company.copy()
    told[bridges] = False
    bridged = np.isin(alike, alike[bridges])
    told[:known] &= ~bridged[:known]  # what was there stays apart
    table.loc[told, "alike"] = names[told]
    return int(company[known:].sum())


def _contents(plan: Plan) -> Iterator[tuple[str, bytes]]:
    """Yield name in the pack and bytes of each newcomer, read once more and compared."""
    wanted = {id(newcomer.photo): newcomer for newcomer in plan.newcomers}
    for place in plan.places:
        chosen = [photo for photo in place.photos if id(photo) in wanted]
        pairs: Iterable[tuple[Photo, bytes | str]]
        if place.archive is None:
            pairs = zip(chosen, in_parallel(read_file, chosen, AT_ONCE), strict=True)
        else:
            inside = zip(place.photos, chain(place.contents(), repeat("gone")), strict=False)
            pairs = ((photo, content) for photo, content in inside if id(photo) in wanted)
        for photo, content in pairs:
            expected = wanted[id(photo)].sha256
            if isinstance(content, str) or hashlib.sha256(content).hexdigest() != expected:
                raise LookbookError(
                    f"Expected {photo.name} to stay as it is while it is read. Received: another "
                    "content. Run the command again when nobody works in that folder."
                )
            yield f"{expected[:16]}{Path(photo.name).suffix.lower()}", content


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    needed *= 2  # DVC keeps a copy in its cache
    if needed + SPARE_BYTES > free:
        raise LookbookError(
            f"Expected {needed:,} bytes of free disk space for the photos. Received: {free:,} at "
            f"{folder.absolute()}. Free some, or move the clone; nothing was copied."
        )
