"""What a run of a revision made, compared with what was recorded there."""

import io
import json
import os
import platform
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from lookbook.evaluation.doubt import FREE
from lookbook.foundation.arithmetic import processor
from lookbook.foundation.lock_file import outputs
from lookbook.foundation.schema import read_yaml
from lookbook.foundation.versions import VERSIONS
from lookbook.ladder.promise import WORDS, promise
from lookbook.revisions.revision import Revision

DATA = ("data/raw", "data/processed")
FIGURES = "metrics/evaluate.json"


@dataclass(frozen=True)
class Finding:
    """What became of an output.

    Attributes:
        output: Its path.
        verdict: `identical`, `within tolerance`, `drifted` or `differs`.
        detail: By how much, or why that is not known.
    """

    output: str
    verdict: str
    detail: str = ""


def compare_outputs(revision: Revision, folder: Path, tolerance: float) -> list[Finding]:
    """Compare what was recorded at a revision with what a run of it has made.

    Args:
        revision: Of this repository.
        folder: Where its pipeline has run.
        tolerance: Largest difference that is within it.
    """
    old, new = revision.outputs(), outputs((folder / "dvc.lock").read_bytes())
    findings = []
    for output in sorted(old.keys() | new.keys()):
        if old.get(output) == new.get(output):
            findings.append(Finding(output, "identical"))
        elif output in DATA:
            findings.append(Finding(output, "drifted", "data are the same on every machine"))
        elif output not in old or output not in new:
            findings.append(Finding(output, "drifted", "only one of them has it"))
        else:
            path = folder / output
            files = sorted(path.rglob("*")) if path.is_dir() else [path]
            names = [file.relative_to(folder).as_posix() for file in files if file.is_file()]
            findings += [judge(name, revision, folder, tolerance) for name in names]
    return findings


def judge(name: str, revision: Revision, folder: Path, tolerance: float) -> Finding:
    """Compare a file with the recorded one."""
    old = revision.read(name)
    if old is None:
        return Finding(name, "differs", "what was recorded is not at hand: `dvc pull` may bring it")
    new = (folder / name).read_bytes()
    if old == new:
        return Finding(name, "identical")
    suffix = Path(name).suffix
    if suffix not in READERS:
        return Finding(name, "differs", "drawn or written from other outputs")
    before, after = READERS[suffix](old), READERS[suffix](new)
    if before.keys() != after.keys():
        return Finding(name, "drifted", "other entries")
    apart = {key: difference(before[key], after[key]) for key in before}
    where = max(apart, key=lambda key: apart[key])
    verdict = "within tolerance" if apart[where] <= tolerance else "drifted"
    return Finding(name, verdict, f"{apart[where]:.2g} at most, in {where}")


def difference(old: np.ndarray, new: np.ndarray) -> float:
    """Return how far apart two arrays are.

    For floats the root of the mean squared difference, as a share of the old values' where those
    are above 1; for anything else the share of entries that differ; infinite for other shapes.
    """
    old, new = np.asarray(old), np.asarray(new)
    if old.shape != new.shape:
        return float("inf")
    if not old.size:
        return 0.0
    if old.dtype.kind != "f" or new.dtype.kind != "f":
        return float(np.mean(old != new))
    apart = np.sqrt(np.mean((old.astype(np.float64) - new) ** 2))
    return float(apart / max(1.0, np.sqrt(np.mean(old.astype(np.float64) ** 2))))


def _of_json(content: bytes) -> dict[str, np.ndarray]:
    return _columns(pd.json_normalize(json.loads(content)))


def _of_csv(content: bytes) -> dict[str, np.ndarray]:
    return _columns(pd.read_csv(io.BytesIO(content)))


def _of_parquet(content: bytes) -> dict[str, np.ndarray]:
    return _columns(pd.read_parquet(io.BytesIO(content), page_checksum_verification=True))


def _columns(table: pd.DataFrame) -> dict[str, np.ndarray]:
    return {name: table[name].to_numpy() for name in table}


def _of_npz(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: array for name, array in arrays.items() if name not in FREE}


def _of_keras(content: bytes) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        weights = io.BytesIO(archive.read("model.weights.h5"))
    found = {}

    def collect(name: str, entry: h5py.Group | h5py.Dataset) -> None:
        if isinstance(entry, h5py.Dataset):
            found[name] = entry[()]

    with h5py.File(weights) as file:
        file.visititems(collect)
    return found


READERS = {
    ".json": _of_json,
    ".csv": _of_csv,
    ".parquet": _of_parquet,
    ".npz": _of_npz,
    ".keras": _of_keras,
}


def failed(
    findings: list[Finding], revision: Revision, folder: Path, tolerance: float
) -> list[str]:
    """Return a sentence for each difference that changes what people decide by."""
    sentences = [
        f"{finding.output} is not what {revision.name} recorded."
        for finding in findings
        if finding.output in DATA and finding.verdict != "identical"
    ]
    old = json.loads(revision.read(FIGURES) or "{}")
    new = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    for model, entry in old.items():
        received = new.get(model, {}).get("accuracy", float("nan"))
        if not abs(received - entry["accuracy"]) <= tolerance:
            sentences.append(
                f"{model}: expected a test accuracy of {entry['accuracy']:.4f} +- {tolerance}. "
                f"Received: {received:.4f}."
            )
    return sentences


def promises(revision: Revision, folder: Path, identical: bool) -> str:
    """Return what was promised of a revision's results, and whether it was kept, as a sentence."""
    recorded = promise(lambda path: revision.read(path.as_posix()) or b"{}")
    here = promise(lambda path: (folder / path).read_bytes())
    if identical:
        return f"Promised: {WORDS[recorded]}. Kept."
    if recorded == here == "everywhere":
        return f"Promised: {WORDS[recorded]}. Not kept, unless versions or outputs were changed."
    return f"Promised: {WORDS[recorded]}. Of {processor()} nothing more was promised."


def machine(folder: Path) -> str:
    """Return what results depend on besides the repository."""
    params = read_yaml(folder / "params.yaml")
    sections = {name: entry for name, entry in params.items() if isinstance(entry, dict)}
    seeds = {name: entry["seed"] for name, entry in sections.items() if "seed" in entry}
    numbers = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    return (
        f"- machine: {platform.platform()}, {processor()}, {os.cpu_count()} cores\n"
        f"- versions: Python {platform.python_version()}, {numbers}\n"
        f"- seeds: {', '.join(f'{name} {seed}' for name, seed in seeds.items())}"
    )
