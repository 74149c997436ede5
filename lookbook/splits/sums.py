"""The hashes of all files of the splits, in SHA256SUMS beside them: `sha256sum -c` reads it too."""

from pathlib import Path

from lookbook.foundation.files import sha256_of, write_text
from lookbook.foundation.parallel import in_parallel
from lookbook.splits.spec import damaged

SUMS = "SHA256SUMS"


def write_sums(folder: Path) -> None:
    """Write down the hash of each file in the folder of the splits."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != SUMS)
    names = [path.relative_to(folder).as_posix() for path in paths]
    hashes = in_parallel(sha256_of, paths)
    lines = [f"{digest}  {name}\n" for digest, name in zip(hashes, names, strict=True)]
    write_text(folder / SUMS, "".join(lines))


def read_sums(folder: Path) -> dict[Path, str]:
    """Return the hash of each file in the folder of the splits.

    Raises:
        LookbookError: If they are missing or damaged.
    """
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
        return {folder / name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    except (FileNotFoundError, ValueError) as error:
        raise damaged(folder / SUMS, "the hashes of the splits", error) from None


def check_sum(path: Path, sums: dict[Path, str]) -> None:
    """Raise a LookbookError unless a file of the splits is as it was written."""
    found = sha256_of(path)
    if found != sums.get(path):
        raise damaged(path, f"what {SUMS} names", f"the SHA-256 {found}")
