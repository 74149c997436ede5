"""A small clone with DVC, Git, a pipeline that runs in no time, and a set of one's own."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pandas as pd
from support import ROOT, picture, run

from lookbook.datasets.packs import COLUMNS, list_file, write_list, write_packs
from lookbook.datasets.writing import write_card

PIPELINE = """\
stages:
  preprocess:
    cmd: python -m stages.preprocess
    deps: [stages/preprocess.py]
    params:
      - data/cards/digits.yaml:
    outs: [data/processed]
    metrics:
      - metrics/preprocess.json:
          cache: false
  train_ann:
    cmd: python -m stages.train_ann
    deps: [data/processed, stages/train_ann.py]
    outs: [models/train_ann.keras]
    metrics:
      - metrics/train_ann.json:
          cache: false
  evaluate:
    cmd: python -m stages.evaluate
    deps: [models/train_ann.keras, stages/evaluate.py]
    outs: [metrics/predictions]
"""

STAGE = """\
from pathlib import Path

for name in {names}:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{version} of {{name}}, " * 50)
"""

FILES = {
    "preprocess": [
        "data/processed/train/images-00000.npy",
        "data/processed/train/labels-00000.npy",
        "metrics/preprocess.json",
    ],
    "train_ann": ["models/train_ann.keras", "metrics/train_ann.json"],
    "evaluate": [
        "metrics/predictions/test/train_ann.parquet",
        "metrics/predictions/validation/train_ann.parquet",
    ],
}
SHARD, MODEL, PREDICTIONS = (FILES[name][0] for name in FILES)
PACK, LIST = "data/own/pets/00000.zip", "data/own/pets/list.csv"


def write_stages(version: str) -> None:
    """Write stages that leave files which differ by the version."""
    Path("stages").mkdir(exist_ok=True)
    Path("stages/__init__.py").touch()
    for name, files in FILES.items():
        Path(f"stages/{name}.py").write_text(STAGE.format(names=files, version=version))


def write_set() -> None:
    """Take six photos into the set `pets`, two of each group."""
    folder = Path("data/own/pets")
    folder.mkdir(parents=True)
    contents = [picture(seed, 12) for seed in range(6)]
    ids = [hashlib.sha256(content).hexdigest()[:16] for content in contents]
    places = list(write_packs(folder, zip([f"{one}.png" for one in ids], contents, strict=True)))
    rows = [
        (one, f"{one}.png", "cat" if i % 2 else "dog", f"g{i // 2}", "", split, *place)
        for i, (one, place) in enumerate(zip(ids, places, strict=True))
        for split in [["train", "validation", "test"][i // 2]]
    ]
    write_list(folder, pd.DataFrame(rows, columns=COLUMNS))
    source = {"kind": "own", "places": ["photos"], "validation_size": 0.2, "test_size": 0.2}
    card = {
        "title": "pets",
        "licence": "not stated",
        "homepage": "not stated",
        "classes": ["cat", "dog"],
        "files": [list_file(folder)],
        "source": source,
        "reader": {"kind": "packs", "channels": 3},
    }
    write_card(Path("data/cards/pets.yaml"), card)
    run("dvc", "add", "-q", str(folder), cwd=Path())


def commit(words: str) -> None:
    """Commit everything."""
    run("git", "add", "-A", cwd=Path())
    run("git", "commit", "-qm", words, cwd=Path())


def make(folder: Path) -> None:
    """Make the clone in the current folder: two commits, and all that they leave."""
    (folder / "data/cards").mkdir(parents=True)
    for name in ("params.yaml", ".dvcignore", ".gitignore", "data/cards/digits.yaml"):
        shutil.copy(ROOT / name, folder / name)
    Path("dvc.yaml").write_text(PIPELINE)
    run("git", "init", "-q", "-b", "main", cwd=folder)
    run("dvc", "init", "-q", cwd=folder)
    write_set()
    for version in ("old", "new"):
        write_stages(version)
        run("dvc", "repro", "-q", cwd=folder)
        commit(version)


def cached(path: str) -> Path:
    """Return where DVC's cache has what a file of the tree holds."""
    md5 = hashlib.md5(Path(path).read_bytes()).hexdigest()
    return Path(f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}")


def is_up_to_date() -> bool:
    """Whether DVC has nothing to do, without its memory of sizes and times."""
    shutil.rmtree(".dvc/tmp", ignore_errors=True)
    done = subprocess.run(["dvc", "status"], capture_output=True, text=True)
    return "up to date" in done.stdout
