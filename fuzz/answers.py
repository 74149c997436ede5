"""Tables of `lookbook predict`, to which rows are added: the first byte says which kind."""

import tempfile
from pathlib import Path

from lookbook.inference.classifier import Prediction
from lookbook.pictures.decoding import Fault
from lookbook.predicting.tables import SUFFIXES, Stamp, adding_rows, columns_of, known_paths, row_of

COLUMNS, STAMP = columns_of(["cats", "dogs"]), Stamp("a" * 12, "b" * 12, "c" * 12)
SAID = Prediction("cats", "cats", 0.9, {"cats": 0.9, "dogs": 0.1}, ["cats"], 0.5, "likely")


def _made(suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"answers{suffix}")
        with adding_rows(path, COLUMNS, keeps=False) as rows:
            rows.write(row_of("=a.png", SAID, STAMP))
            rows.write(row_of("b\n.png", Fault("not a picture"), STAMP))
        return path.read_bytes()


SEEDS = [bytes([number]) + _made(suffix) for number, suffix in enumerate(SUFFIXES)]


def read(content: bytes, folder: Path) -> None:
    """Read a table, and add a row to it."""
    number = (content or b"\0")[0] % len(SUFFIXES)
    path = folder / f"answers{SUFFIXES[number]}"
    path.write_bytes(content[1:])
    before = known_paths(path, COLUMNS, STAMP)
    with adding_rows(path, COLUMNS, keeps=True) as rows:
        rows.write(row_of("new.png", SAID, STAMP))
    assert known_paths(path, COLUMNS, STAMP) == before | {"new.png"}
