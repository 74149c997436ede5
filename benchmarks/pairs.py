"""Is another setting better over several seeds, and at what cost?

    python -m benchmarks.pairs FOLDER fashion_mnist train_cnn train_cnn.optimizer=adam --seeds 5
    python -m benchmarks.pairs FOLDER fashion_mnist train_cnn train_cnn.optimizer=adam --test

Trains the stage with params.yaml as it is and with the changes, in turn, seed after seed, and
prints the differences (changed less unchanged) of the validation accuracy with a 95 % interval by
Student's t, and the ratio of the processor seconds. What is trained stays in the folder: the same
command goes on where it was killed, and another with some of the same trainings takes them from
there. `--test` looks at test data, once, when everything is chosen; since models are not kept, what
was trained without it is trained again.

Needs the data (the network, or LOOKBOOK_MIRROR). A pair of the default train_cnn on Fashion-MNIST
takes 25 to 60 minutes on two cores.
"""

import argparse
import json
import resource
import shutil
import statistics
from pathlib import Path

import numpy as np
import yaml
from scipy import stats

from benchmarks.__main__ import ROOT, timed
from lookbook.experiments.recipes import merged
from lookbook.foundation.schema import read_yaml

ONE = """
from lookbook.foundation import arithmetic
arithmetic.settle()
from pathlib import Path
from lookbook.ladder.models import load_model, predict
from lookbook.splits.split import Split
path, test = Path("models/{stage}.keras"), Split("test")
right = predict(load_model(path), test, path).argmax(axis=1) == test.labels
Path("test.txt").write_text(str(right.mean()))
"""


def changed(settings: list[str]) -> dict:
    """Return `section.name=value` settings as params.yaml has them."""
    changes: dict = {}
    for setting in settings:
        path, _, value = setting.partition("=")
        for name in reversed(path.split(".")):
            value = {name: yaml.safe_load(value) if isinstance(value, str) else value}
        changes = merged(changes, value)
    return changes


def trained(folder: Path, stage: str, params: dict, seed: int, *, with_test: bool) -> dict:
    """Return the figures of a training: from the folder, or of one that is done now."""
    params = merged(params, {stage: {"seed": seed}})
    kept = folder / "trained.jsonl"
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    known = [json.loads(line) for line in lines]
    for entry in known:
        if entry["params"] == params and ("test" in entry or not with_test):
            return entry
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    before = _spent()
    timed(["-m", f"stages.{stage}"], folder)
    seconds = _spent() - before
    figures = json.loads((folder / f"metrics/{stage}.json").read_text(encoding="utf-8"))
    entry = {"params": params, "seconds": seconds, "validation": figures["validation_accuracy"]}
    if with_test:
        timed(["-c", ONE.format(stage=stage)], folder)
        entry["test"] = float((folder / "test.txt").read_text(encoding="utf-8"))
    with kept.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
    return entry


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def told(name: str, differences: list[float]) -> str:
    """Return a mean difference with its interval, in words."""
    mean, count = statistics.mean(differences), len(differences)
    if count < 2:
        return f"{name}: {mean:+.4f}, one pair"
    reach = stats.t.ppf(0.975, count - 1) * np.std(differences, ddof=1) / count**0.5
    return f"{name}: {mean:+.4f} ({mean - reach:+.4f} to {mean + reach:+.4f}), {count} pairs"


def main() -> None:
    """Train the pairs, print what differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("dataset")
    parser.add_argument("stage", choices=["train_ann", "train_cnn", "train_transfer"])
    parser.add_argument("settings", nargs="*", metavar="SECTION.NAME=VALUE")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--test", action="store_true")
    asked = parser.parse_args()
    plain = merged(read_yaml(ROOT / "params.yaml"), {"dataset": asked.dataset})
    other = merged(plain, changed(asked.settings))
    if other["preprocess"] != plain["preprocess"]:
        parser.error("both are trained on the same splits: preprocess cannot be changed")
    folder = asked.folder / asked.dataset
    if not (folder / "data/processed").exists():
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "data").mkdir(parents=True)
        for part in ("cards", "bases", "labels"):
            (folder / "data" / part).symlink_to(ROOT / "data" / part)
        (folder / "params.yaml").write_text(yaml.safe_dump(plain), encoding="utf-8")
        for stage in ("download", "preprocess"):
            timed(["-m", f"stages.{stage}"], folder)
    pairs = []
    for seed in range(1, asked.seeds + 1):
        both = [
            trained(folder, asked.stage, params, seed, with_test=asked.test)
            for params in (plain, other)
        ]
        pairs.append(both)
        for name in ("validation", "test") if asked.test else ("validation",):
            print(f"seed {seed}, {name}: {both[0][name]:.4f} {both[1][name]:.4f}", flush=True)
    for name in ("validation", "test") if asked.test else ("validation",):
        print(told(name, [new[name] - old[name] for old, new in pairs]))
    ratios = [new["seconds"] / old["seconds"] for old, new in pairs]
    spread = f"({min(ratios):.2f}-{max(ratios):.2f})"
    print(f"processor seconds, changed against unchanged: {statistics.median(ratios):.2f} {spread}")


if __name__ == "__main__":
    main()
