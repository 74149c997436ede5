"""Functions that the tests share: the project's files, commands, small data, answers."""

import base64
import gzip
import hashlib
import html.parser
import io
import json
import re
import shutil
import struct
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from lookbook.datasets.cards import card_path
from lookbook.datasets.packs import read_list
from lookbook.foundation.params import load_params
from lookbook.foundation.schema import Section
from lookbook.inference.card import FORMAT, Card
from lookbook.splits.sums import write_sums

ROOT = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
PROJECT_PARTS = ["data/bases", "data/cards", "data/labels", "data/own", "lookbook", "stages"]
PROJECT_PARTS += [".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitignore"]
PROJECT_PARTS += ["dvc.yaml", "params.yaml", "pyproject.toml", "metrics/learning_curve.json"]

TINY = {
    "baseline.max_iter": 1,
    "train_ann.hidden": [],
    "train_ann.epochs": 1,
    "train_cnn.blocks": [[4]],
    "train_cnn.max_map": 0,
    "train_cnn.dense_units": 0,
    "train_cnn.epochs": 1,
    "train_cnn.test_time_flip": True,
    "train_transfer.epochs": 1,
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


def picture(
    seed: int, side: int = 24, *, grey: bool = False, kind: str = "PNG", **options
) -> bytes:
    """Return a picture file: of one seed near duplicates, of two seeds strangers."""
    noise = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    (image.convert("L") if grey else image).save(file, kind, **options)
    return file.getvalue()


def write_photos(folder: Path, classes: dict[str, int], *, first: int = 0, **options) -> Path:
    """Write pictures that are strangers to each other, in one folder a class; return `folder`.

    Args:
        folder: Made if it is not there.
        classes: How many pictures of each class: `CLASS/SEED.png`.
        first: The seed of the first; each has the next one.
        options: Of `picture`.
    """
    seed = first
    for name, count in classes.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            (folder / name / f"{seed}.png").write_bytes(picture(seed, **options))
            seed += 1
    return folder


def listed(dataset: str = "pets", root: Path = Path()) -> pd.DataFrame:
    """Return the list of a set of the project in a folder."""
    return read_list(root / "data/own" / dataset)


def packed(dataset: str = "pets", root: Path = Path()) -> dict[str, bytes]:
    """Return what each pack of a set holds, by its name."""
    paths = sorted((root / "data/own" / dataset).glob("*.zip"))
    return {path.name: path.read_bytes() for path in paths}


def check_consistent(dataset: str = "pets", root: Path = Path()) -> None:
    """Fail unless list, packs and card of a set say the same, and nothing else lies around."""
    folder, table = root / "data/own" / dataset, listed(dataset, root)
    for pack, rows in table.groupby("pack"):
        with zipfile.ZipFile(folder / pack) as archive:
            for member, photo in zip(rows["member"], rows["id"], strict=True):
                assert hashlib.sha256(archive.read(member)).hexdigest()[:16] == photo
    names = {path.name for path in folder.iterdir()}
    assert names - {"withdrawn.csv"} == {"list.csv", "notes.csv", *table["pack"]}
    card = yaml.safe_load((root / f"data/cards/{dataset}.yaml").read_text())
    content = (folder / "list.csv").read_bytes()
    assert card["files"] == [
        {
            "name": "list.csv",
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    ]
    assert card["counts"] == table["class"].value_counts().to_dict()
    splits = table["split"].value_counts().to_dict()
    assert {name: count for name, count in card["splits"].items() if count} == splits


def light_card(**changes) -> Card:
    """Return the card of the fixture `light_model`, with some of it changed."""
    card = Card(
        format=FORMAT,
        name="train_cnn",
        title="CNN",
        is_picked=True,
        dataset="Grey squares",
        training_pictures=100,
        class_names=["dark", "bright"],
        image_size=8,
        channels=1,
        resize="stretch",
        weights="float32",
        temperature=2.0,
        coverage=0.95,
        least_probability=0.3,
        kept=0.99,
        most_strangeness=0.25,
        accuracy={"figure": 0.9, "low": 0.8, "high": 0.95, "pictures": 50},
        model_sha256="ab" * 32,
        data_sha256="cd" * 32,
        versions={},
        licences={},
    )
    return replace(card, **changes)


def flat(value: int, side: int = 20, kind: str = "PNG") -> bytes:
    """Return a picture file of one grey: 0 is dark, 128 neither, 255 bright to `light_model`."""
    file = io.BytesIO()
    Image.new("L", (side, side), value).save(file, kind)
    return file.getvalue()


def checked(side: int = 16) -> bytes:
    """Return a picture file of black and white fields, a stranger to `light_model`."""
    file = io.BytesIO()
    fields = np.kron([[0, 255], [255, 0]], np.ones((side // 2, side // 2))).astype(np.uint8)
    Image.fromarray(fields).save(file, "PNG")
    return file.getvalue()


def send(handler, content: bytes, *, status: int = 200, promised: int | None = None) -> None:
    """Answer with `content`; `promised` bytes are announced, all of them by default."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content) if promised is None else promised))
    handler.end_headers()
    handler.wfile.write(content)


def change_spec(processed: Path, **changes) -> None:
    """Let spec.json say something else, as if preprocess had written it."""
    path = processed / "spec.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    write_sums(processed)


def check_policy(page: str) -> None:
    """Assert that a page's policy allows its own script and style alone, and pictures within it."""
    (escaped,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    policy = html.unescape(escaped)
    assert policy.startswith("default-src 'none'; img-src data:;")
    for element in ("script", "style"):
        (content,) = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy


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


class Watched:
    """A page in a tab of a browser, with what it asked for and complained of."""

    def __init__(self, tab, path):
        self.tab, self.complaints, self.requests = tab, [], []
        tab.on("console", lambda message: self.complaints.append(message.text))
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("request", lambda request: self.requests.append(request.url))
        tab.goto(path.absolute().as_uri())


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
