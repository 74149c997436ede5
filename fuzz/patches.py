"""Patches with decisions on labels, as a review's page saves them and others send them."""

from pathlib import Path

from fuzz._cards import card
from lookbook.review.patches import merged, read_patch, without

HEADER = b"set,data,id,given,action,label\n"
SEEDS = [
    HEADER + b"pets,f,1,cats,change,dogs\npets,f,2,dogs,drop,\n",
    HEADER + b"pets,f,3,'=cats,keep,\n",
    b"\xef\xbb\xbf" + HEADER + b'pets,f,"4\n",cats,keep,\n',
]
CARD = card({"kind": "digits"}, "digits.csv.gz")


def read(content: bytes, folder: Path) -> None:
    """Read a patch, put it to no decisions, and take it back."""
    path = folder / "patch.csv"
    path.write_bytes(content)
    patch = read_patch(path, "pets", CARD)
    after = merged(path, patch, patch[["id", "given", "action", "label"]].iloc[:0])
    assert not len(without(path, patch, after))
