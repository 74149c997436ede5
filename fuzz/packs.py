"""Sets of other people's photos: the first byte says whether the list, the pack or the notes."""

import io
import zipfile
from pathlib import Path

from fuzz._cards import card, picture
from lookbook.datasets.packs import LIST, NOTES, members_unlisted, read_list, read_notes
from lookbook.readers import packs

PACK = "00000.zip"
TABLE = (
    b"id,name,class,group,alike,split,pack,member\n"
    b"aa,'=1.png,cats,g,,train,00000.zip,a.png\n"
    b'bb,"b,2.png",dogs,g,x,test,00000.zip,b.png\n'
)


def _packed() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.png", picture())
        archive.writestr("b.png", b"b")
    return file.getvalue()


SOUND = {LIST: TABLE, PACK: _packed(), NOTES: b"name,note\na.png,too dark\n"}
SEEDS = [bytes([number]) + content for number, content in enumerate(SOUND.values())]


def read(content: bytes, folder: Path) -> None:
    """Read a set of which one file is from outside."""
    outside = list(SOUND)[(content or b"\0")[0] % len(SOUND)]
    for name, sound in SOUND.items():
        (folder / name).write_bytes(content[1:] if name == outside else sound)
    reading = packs.read(card({"kind": "packs", "channels": 3}, LIST), folder)
    assert sum(map(len, reading.batches)) == len(reading.index)
    read_notes(folder)
    members_unlisted(folder, read_list(folder))
