"""Hold a run of the pipeline to the committed one: the same data, and scores within 0.02.

python tests/compare_runs.py COMMITTED FRESH        two folders with dvc.lock and metrics
"""

import json
import sys
from pathlib import Path

import yaml

DATA = ("data/raw", "data/processed")
TOLERANCE = 0.02  # another processor changes the last digits of weights, and so a few predictions


def data_hashes(folder: Path) -> dict[str, str]:
    """Return the hash of each data output in dvc.lock."""
    stages = yaml.safe_load((folder / "dvc.lock").read_text())["stages"]
    outs = [out for stage in stages.values() for out in stage.get("outs", [])]
    return {out["path"]: out["md5"] for out in outs if out["path"] in DATA}


def accuracies(folder: Path) -> dict[str, float]:
    """Return the test accuracy of each model."""
    metrics = json.loads((folder / "metrics/evaluate.json").read_text())
    return {name: entry["accuracy"] for name, entry in metrics.items()}


def faults(committed: Path, fresh: Path) -> list[str]:
    """Return a sentence for each difference that matters."""
    found = []
    expected, received = data_hashes(committed), data_hashes(fresh)
    if set(expected) != set(DATA) or expected != received:
        found.append(f"Expected the data hashes {expected}. Received: {received}.")
    expected, received = accuracies(committed), accuracies(fresh)
    for name in expected.keys() | received.keys():
        pair = expected.get(name), received.get(name)
        if None in pair or abs(pair[0] - pair[1]) > TOLERANCE:
            found.append(f"Expected {name} to score {pair[0]} +- {TOLERANCE}. Received: {pair[1]}.")
    return found


if __name__ == "__main__":
    differences = faults(Path(sys.argv[1]), Path(sys.argv[2]))
    print("\n".join(differences) or "the data are the same, the scores within 0.02")
    sys.exit(1 if differences else 0)
