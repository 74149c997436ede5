"""Lookbook's stages against the plain scripts that the sources show, side by side.

Each case runs the plain script (benchmarks/plain) and the stage with the recipe's settings in turn,
each as a process of its own, on the same pictures. An epoch's seconds are those between the lines
that Keras prints, validation included; the first epoch, which compiles, counts for the time until
the source's figure is reached, and not for the time of an epoch. That time is taken twice: with the
source's own settings, and with the source's network trained by this project's defaults (batch
normalisation, one cycle of the learning rate, batch size) for three epochs.

    python -m benchmarks                     all cases (an hour)
    python -m benchmarks sign_cnn cats_cnn   some
    python -m benchmarks matmul              how much of the machine's matmul rate train_cnn uses
    python -m benchmarks roofline            what dense networks take beyond their bare arithmetic
    python -m benchmarks others              PyTorch, Keras's fit and scikit-learn (two hours)

Needs the data of the recipes: the network, or LOOKBOOK_MIRROR.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml

from lookbook.experiments.recipes import Plan, load_recipes, merged, plan
from lookbook.foundation.params import TrainingParams
from lookbook.foundation.schema import read_yaml

ROOT = Path(__file__).parents[1]
ROUNDS = 3
SHORTER = {"sign_cnn": 6, "sign_cnn_augmented": 6, "cats_cnn": 3}  # epochs, of both kinds
BY_THEMSELVES = ["matmul", "roofline", "others"]  # modules of this folder
OUR_EPOCHS = 3  # with this project's way of training
OUR_TRAINING = [*TrainingParams.model_fields, "batch_norm"]


@dataclass
class Run:
    """What one process did.

    Attributes:
        seconds: Of the whole process.
        peak: Largest memory of it and its children together, in MB, shared pages counted once.
        epochs: When each epoch ended, in seconds since the first began.
        accuracy: On validation data, after each epoch.
    """

    seconds: float = 0.0
    peak: float = 0.0
    epochs: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)

    @property
    def epoch(self) -> float:
        """The median seconds of an epoch after the first."""
        ends = self.epochs
        return statistics.median(end - start for start, end in zip(ends, ends[1:], strict=False))

    def until(self, accuracy: float) -> float | None:
        """The seconds until validation data first reached `accuracy`."""
        ends = zip(self.epochs, self.accuracy, strict=True)
        return next((end for end, reached in ends if reached >= accuracy), None)


def timed(command: list[str], folder: Path, *, python: str = sys.executable) -> Run:
    """Run a command in `folder`, and note when its lines come and how much memory it takes.

    Args:
        command: What Python is given.
        folder: Where to.
        python: That of another environment.
    """
    result, begun, complaints = Run(), None, folder / "stderr.txt"
    start = time.perf_counter()
    with complaints.open("w") as stderr:
        process = subprocess.Popen(
            [python, "-u", *command],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), "LOOKBOOK_CACHE": str(folder / "cache")},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    watch = threading.Thread(target=_watch_memory, args=(process.pid, result), daemon=True)
    watch.start()
    for line in process.stdout:
        now = time.perf_counter()
        if line.startswith("Epoch ") and begun is None:
            begun = now
        reached = re.search(r"val_accuracy: ([\d.]+)", line)
        if reached:
            result.epochs.append(now - begun)
            result.accuracy.append(float(reached[1]))
    if process.wait():
        sys.exit(f"{complaints.read_text()}error: {' '.join(command)} failed in {folder}")
    result.seconds = time.perf_counter() - start
    watch.join()
    return result


def _watch_memory(pid: int, result: Run) -> None:
    while True:
        try:
            parent = psutil.Process(pid)
            family = [parent, *parent.children(recursive=True)]
            total = sum(_proportional(process) for process in family)
        except psutil.Error:
            return
        if not total:
            return
        result.peak = max(result.peak, total / 2**20)
        time.sleep(0.2)


def _proportional(process: psutil.Process) -> int:
    try:
        return process.memory_full_info().pss
    except psutil.Error:
        return 0


def params_of(chosen: Plan, *, our_training: bool = False) -> dict:
    """Return all parameters for a case: the recipe's, or its network trained in our way."""
    defaults, stage = read_yaml(ROOT / "params.yaml"), chosen.recipe.stage
    params = merged(defaults, chosen.params)
    if our_training:
        params[stage] |= {name: defaults[stage][name] for name in OUR_TRAINING}
        params[stage] |= {"epochs": OUR_EPOCHS}
    elif chosen.name in SHORTER:
        params[stage]["epochs"] = SHORTER[chosen.name]
    return params


def run_stage(chosen: Plan, folder: Path, **options: bool) -> Run:
    """Run a case's stage, with nothing kept from an earlier run."""
    (folder / "params.yaml").write_text(yaml.safe_dump(params_of(chosen, **options)))
    shutil.rmtree(folder / "cache/features", ignore_errors=True)
    stage = chosen.recipe.stage
    if stage == "baseline":
        return timed(["-m", "stages.baseline"], folder)
    return timed(["-m", "benchmarks.talking", stage], folder)


def prepare(chosen: Plan, folder: Path) -> None:
    """Make the splits of a recipe in `folder`."""
    (folder / "params.yaml").write_text(yaml.safe_dump(params_of(chosen)))
    (folder / "data").mkdir(exist_ok=True)
    for path in ("data/cards", "data/bases"):
        (folder / path).unlink(missing_ok=True)
        (folder / path).symlink_to(ROOT / path)
    for stage in ("download", "preprocess"):
        timed(["-m", f"stages.{stage}"], folder)


def compare(chosen: Plan) -> None:
    """Measure a case; print the median ratios and their spread."""
    ratios = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(chosen, folder)
        transfer = chosen.recipe.stage == "train_transfer"
        bare = timed(["-c", "import keras, tensorflow"], folder).seconds if transfer else 0.0
        for _ in range(ROUNDS):
            plain = timed([str(ROOT / f"benchmarks/plain/{chosen.name}.py")], folder)
            ours = run_stage(chosen, folder)
            for label, ratio in _ratios(chosen, plain, ours, bare).items():
                ratios.setdefault(label, []).append(ratio)
            print(f"{chosen.name}: plain {_described(plain)}; here {_described(ours)}", flush=True)
            if chosen.recipe.reached:
                better = run_stage(chosen, folder, our_training=True)
                label = f"{chosen.recipe.reached} on validation data, our training"
                ratios.setdefault(label, []).append(_sooner(chosen, plain, better))
                print(f"{chosen.name}: our training {_described(better)}", flush=True)
    for label, values in ratios.items():
        if None in values:
            print(f"{chosen.name}, {label}: not reached in every run")
            continue
        middle, low, high = statistics.median(values), min(values), max(values)
        print(f"{chosen.name}, {label}: {middle:.2f} x ({low:.2f}-{high:.2f})", flush=True)


def _ratios(chosen: Plan, plain: Run, ours: Run, bare: float) -> dict[str, float | None]:
    """Return how many times longer (or larger) the plain script is.

    `bare` are the seconds that importing TensorFlow takes.
    """
    ratios = {"whole process faster": plain.seconds / ours.seconds}
    if chosen.recipe.stage == "baseline":
        return ratios | {"memory smaller": plain.peak / ours.peak}
    if chosen.recipe.stage == "train_transfer":
        label = "faster, but for importing TensorFlow"
        return ratios | {label: (plain.seconds - bare) / (ours.seconds - bare)}
    ratios["epoch faster"] = plain.epoch / ours.epoch
    label = f"{chosen.recipe.reached} on validation data, same settings"
    return ratios | {label: _sooner(chosen, plain, ours)}


def _sooner(chosen: Plan, plain: Run, ours: Run) -> float | None:
    """Return how many times longer the plain script needs for the source's figure."""
    times = plain.until(chosen.recipe.reached), ours.until(chosen.recipe.reached)
    return None if None in times else times[0] / times[1]


def _described(run: Run) -> str:
    text = f"{run.seconds:.1f} s, {run.peak:,.0f} MB"
    if len(run.epochs) > 1:
        text += f", {run.epoch:.2f} s an epoch, {run.accuracy[-1]:.4f}"
    return text


def main() -> None:
    """Measure the cases named on the command line, or all."""
    recipes = load_recipes(ROOT / "recipes.yaml")
    cases = sorted(path.stem for path in (ROOT / "benchmarks/plain").glob("*_*.py"))
    known = [*cases, *BY_THEMSELVES]
    names = sys.argv[1:] or known
    unknown = sorted(set(names) - set(known))
    if unknown:
        sys.exit(f"error: Expected cases out of {', '.join(known)}. Received: {unknown}.")
    for name in names:
        if name in BY_THEMSELVES:
            subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT, check=True)
        else:
            compare(plan(name, recipes[name]))


if __name__ == "__main__":
    main()
