"""Functions that the tests share: the project's files, commands, small data, answers."""

import gzip
import html.parser
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml

from lookbook.datasets.cards import card_path
from lookbook.foundation.params import load_params
from lookbook.foundation.schema import Section

ROOT = Path(__file__).parents[1]
PROJECT_PARTS = ["data/bases", "data/cards", "data/own", "lookbook", "stages"]
PROJECT_PARTS += [".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitignore"]
PROJECT_PARTS += ["dvc.yaml", "params.yaml", "pyproject.toml"]

TINY = {
    "baseline.max_iter": 1,
    "train_ann.hidden": [],
    "train_ann.epochs": 1,
    "train_ann.min_steps": 0,
    "train_cnn.blocks": [[4]],
    "train_cnn.max_map": 0,
    "train_cnn.dense_units": 0,
    "train_cnn.epochs": 1,
    "train_cnn.min_steps": 0,
    "train_transfer.epochs": 1,
    "train_transfer.min_steps": 0,
}


def settings_of(section: str, **changes) -> Section:
    """Return a section of the project's params.yaml with some values changed."""
    section = getattr(load_params(ROOT / "params.yaml"), section)
    return type(section).model_validate(section.model_dump() | changes)


def copy_project(target: Path) -> None:
    """Copy what the pipeline needs, and nothing that it made, into a folder."""
    for part in PROJECT_PARTS:
        source, copy = ROOT / part, target / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)


def write_idx(path: Path, values: np.ndarray, magic: int | None = None) -> None:
    """Write an IDX file of unsigned bytes, gzipped, the same bytes for the same values."""
    header = struct.pack(">I", 0x0800 + values.ndim if magic is None else magic)
    header += struct.pack(f">{values.ndim}I", *values.shape)
    path.write_bytes(gzip.compress(header + values.astype(np.uint8).tobytes(), mtime=0))


def send(handler, content: bytes, *, status: int = 200, promised: int | None = None) -> None:
    """Answer with `content`; `promised` bytes are announced, all of them by default."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content) if promised is None else promised))
    handler.end_headers()
    handler.wfile.write(content)


def run(*command: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess:
    """Run a command and return what it said; fail with its output if it must succeed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if check and done.returncode:
        pytest.fail(f"{' '.join(command)} exited {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def read_card(name: str) -> dict:
    """Return a card of the current folder's project."""
    return yaml.safe_load(card_path(name).read_text())


def write_card(name: str, card: dict) -> None:
    """Write a card of the current folder's project."""
    card_path(name).write_text(yaml.safe_dump(card))


class Tables(html.parser.HTMLParser):
    """Collects the cells of the table with an id, row by row."""

    def __init__(self, wanted):
        super().__init__()
        self.wanted, self.rows, self._inside, self._cell = wanted, [], False, False

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self._inside = dict(attributes).get("id") == self.wanted
        elif self._inside and tag == "tr":
            self.rows.append([])
        elif self._inside and tag in ("td", "th"):
            self._cell = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data):
        if self._inside and self._cell:
            self.rows[-1].append(data.strip())


def rows_of(page: str, table: str) -> list[list[str]]:
    """Return the cells of the table with this id in an HTML page."""
    reader = Tables(table)
    reader.feed(page)
    return reader.rows
