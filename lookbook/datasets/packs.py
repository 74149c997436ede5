"""People's own sets as they are kept: packs of photos that only grow, and a list of the photos.

    data/own/NAME/list.csv     one row a photo, in the order in which they came
    data/own/NAME/00000.zip    the photos' own bytes, uncompressed, in packs of at most 64 MiB
    data/own/NAME/notes.csv    what was left out when it came, and why; what needs a look
    data/own/NAME/withdrawn.csv  ids of photos that are not to come back

The list decides what the set is: it is replaced as a whole, after the packs that it names are
written. A pack that is there is never changed; what no row names is of no account.
"""

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from lookbook.foundation.damage import DAMAGE
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import read_csv, remove, replacing, sha256_of, write_csv

OWN = Path("data/own")
LIST = "list.csv"
NOTES = "notes.csv"
WITHDRAWN = "withdrawn.csv"
COLUMNS = ["id", "name", "class", "group", "alike", "split", "pack", "member"]
PACK_BYTES = 64 * 2**20
ID = r"\w{1,64}"
PACK = r"(\d{5,9}\.zip)?"  # what packs are called; '' until it is known
DATE = (1980, 1, 1, 0, 0, 0)  # of every photo in a pack: the same bytes for the same photos


class PackedPhoto(NamedTuple):
    """Where a photo was put.

    Attributes:
        pack: The pack's file name.
        member: Its name in the pack.
    """

    pack: str
    member: str


def set_folder(dataset: str, root: Path = OWN) -> Path:
    """Return where a set's packs and its list are."""
    return root / dataset


def read_list(folder: Path) -> pd.DataFrame:
    """Return a set's list; all of it text.

    Columns: `id` (16 hex digits of the SHA-256 of the photo's bytes), `name` (as its owner knows
    it), `class`, `group` (what was asked to stay together) and `alike` (near duplicates), both
    empty for one that is alone, `split`, `pack` and `member` (where its bytes are).

    Raises:
        LookbookError: If it is missing or damaged.
    """
    path = folder / LIST
    try:
        table = read_csv(path)
    except FileNotFoundError:
        raise LookbookError(
            f"Expected the photos of {folder.name} in {folder}. Received: no such file as {path}. "
            f"Run `dvc pull {folder}.dvc` if somebody pushed them, or `dvc checkout {folder}.dvc`."
        ) from None
    except (ValueError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from None
    if list(table.columns) != COLUMNS or not isinstance(table.index, pd.RangeIndex):
        raise _damaged(path, f"the columns {', '.join(map(str, table.columns))}")
    if table["id"].duplicated().any():
        raise _damaged(path, f"{table.loc[table['id'].duplicated(), 'id'].iloc[0]} twice")
    wrong = ~table["id"].str.fullmatch(ID)
    if wrong.any():  # such as a conflict's marks
        raise _damaged(path, f"the id {table.loc[wrong, 'id'].iloc[0]!r}")
    elsewhere = ~table["pack"].str.fullmatch(PACK)
    if elsewhere.any():  # of which a path is made
        raise _damaged(path, f"the pack {table.loc[elsewhere, 'pack'].iloc[0]!r}")
    return table


def write_list(folder: Path, table: pd.DataFrame) -> None:
    """Replace a set's list."""
    write_csv(folder / LIST, table[COLUMNS])


def read_notes(folder: Path) -> dict[str, str]:
    """Return the note of each file that needed a word when it came."""
    return _column(folder / NOTES, "name", "note")


def write_notes(folder: Path, notes: dict[str, str]) -> None:
    """Write down the notes."""
    rows = [(name.encode(errors="backslashreplace").decode(), note) for name, note in notes.items()]
    write_csv(folder / NOTES, pd.DataFrame(rows, columns=["name", "note"]))


def read_withdrawn(folder: Path) -> dict[str, str]:
    """Return the photos that were withdrawn, by id, with the day."""
    return _column(folder / WITHDRAWN, "id", "day")


def write_withdrawn(folder: Path, withdrawn: dict[str, str]) -> None:
    """Write down which photos were withdrawn."""
    table = pd.DataFrame(sorted(withdrawn.items()), columns=["id", "day"])
    write_csv(folder / WITHDRAWN, table)


def _column(path: Path, key: str, value: str) -> dict[str, str]:
    try:
        table = read_csv(path)
        return dict(zip(table[key], table[value], strict=True))
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError) as error:
        raise LookbookError(
            f"Expected the columns {key} and {value} in {path}. Received: "
            f"{str(error).splitlines()[0]}. Run `dvc checkout {path.parent}.dvc`."
        ) from None


def members_unlisted(folder: Path, table: pd.DataFrame) -> list[str]:
    """Return the packs that hold photos that no row names."""
    named = set(table["pack"])
    found = [path.name for path in sorted(folder.glob("[0-9]*.zip")) if path.name not in named]
    for pack, rows in table.groupby("pack"):
        try:
            with zipfile.ZipFile(folder / str(pack)) as archive:
                unlisted = set(archive.namelist()) - set(rows["member"])
        except DAMAGE as error:
            raise LookbookError(
                f"Expected the pack {folder / str(pack)}. Received: {error}. Run `dvc checkout "
                f"{folder}.dvc` to bring it back."
            ) from None
        if unlisted:
            found.append(str(pack))
    return found


def list_file(folder: Path) -> dict:
    """Return the list as a file of a card: name, size in bytes, SHA-256."""
    path = folder / LIST
    return {"name": LIST, "bytes": path.stat().st_size, "sha256": sha256_of(path)}


def write_packs(folder: Path, photos: Iterable[tuple[str, bytes]]) -> Iterator[PackedPhoto]:
    """Write photos into new packs, beside those that the list names.

    Args:
        folder: The set's.
        photos: Name in the pack and bytes of each.

    Yields:
        Where each is, in the same order.
    """
    number = 1 + max((int(path.stem) for path in folder.glob("[0-9]*.zip")), default=-1)
    waiting: list[tuple[str, bytes]] = []
    size = 0
    for member, content in photos:
        if waiting and size + len(content) > PACK_BYTES:
            yield from _write_pack(folder / f"{number:05}.zip", waiting)
            waiting, size, number = [], 0, number + 1
        waiting.append((member, content))
        size += len(content)
    if waiting:
        yield from _write_pack(folder / f"{number:05}.zip", waiting)


def read_packed(folder: Path, table: pd.DataFrame) -> Iterator[bytes | str]:
    """Yield the bytes of each photo of a list, or in a few words why there are none.

    Args:
        folder: Of the packs.
        table: Rows of the list; those of a pack follow each other.
    """
    for pack, rows in table.groupby("pack", sort=False):
        try:
            archive = zipfile.ZipFile(folder / str(pack))
        except DAMAGE:
            yield from [f"its pack {pack} is missing or damaged"] * len(rows)
            continue
        with archive:
            for member in rows["member"]:
                try:
                    yield archive.read(member)
                except DAMAGE:
                    yield "damaged in its pack"


def forget_unlisted(folder: Path, table: pd.DataFrame) -> None:
    """Remove packs that no row names: what a killed command has left."""
    named = set(table["pack"])
    for path in folder.iterdir():
        if path.name not in (LIST, NOTES, WITHDRAWN) and path.name not in named:
            remove(path)


def _write_pack(path: Path, photos: list[tuple[str, bytes]]) -> list[PackedPhoto]:
    with replacing(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for member, content in photos:
            info = zipfile.ZipInfo(member, DATE)
            info.create_system = 3  # the same on every system
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return [PackedPhoto(path.name, member) for member, _ in photos]


def _damaged(path: Path, received: str) -> LookbookError:
    return LookbookError(
        f"Expected the columns {', '.join(COLUMNS)} in {path}, each photo once. Received: "
        f"{received}. Run `dvc checkout {path.parent}.dvc` to bring it back."
    )
