"""Does another processor make the same bytes, and what does that cost?

    python -m benchmarks.processors          as a Haswell of 2013, emulated (needs qemu-user)
    python -m benchmarks.processors --cost   epochs with hardware.repeatable everywhere and machine

The first trains small networks on digits here, then on an emulated Haswell with the inputs that
they had here, and compares what they make to the byte: batch normalisation, dropout, augmentation,
clipped gradients, Adam, 100 steps, features. The other stages are left out, since they sort: in
QEMU 7.2 `numpy.argsort` of 32-bit numbers with AVX2 comes back unsorted, or crashes. About ten
minutes.

The second trains the networks with either promise in turn (on Fashion-MNIST, and the base of a
transfer on the sample of flowers), and prints the ratio of the medians of their epochs. It needs
these data (the network, or LOOKBOOK_MIRROR).
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from benchmarks.__main__ import ROOT, ROUNDS, timed
from lookbook.experiments.recipes import merged
from lookbook.foundation.schema import read_yaml

PROCESSOR = ["qemu-x86_64", "-cpu", "Haswell"]
EMULATED = ["train_ann", "train_cnn", "train_transfer"]
LINKED = ["data/bases", "data/cards", "data/labels", "dvc.yaml", "metrics/learning_curve.json"]
SMALL = {
    "train_ann": {"hidden": [512], "epochs": 3},
    "train_cnn": {"blocks": [[8], [16]], "batch_size": 64, "epochs": 6, "clip_norm": 1.0},
    "train_transfer": {"epochs": 3, "fine_tune": {"blocks": 1, "epochs": 2}},
}
TIMED = {
    "train_ann": ("fashion_mnist", {"epochs": 6}),
    "train_cnn": ("fashion_mnist", {"epochs": 3}),
    "train_transfer": ("flowers_sample", {"epochs": 2, "fine_tune": {"blocks": 4, "epochs": 4}}),
}


def outputs(stage: str) -> list[str]:
    """Return what dvc.yaml says that a stage makes."""
    entries = read_yaml(ROOT / "dvc.yaml")["stages"][stage]
    made = [*entries["outs"], *entries.get("metrics", []), *entries.get("plots", [])]
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in made]


def contents(folder: Path, stage: str) -> dict[str, bytes]:
    """Return every file that a stage made in a folder, by name."""
    made = [folder / name for name in outputs(stage)]
    files = [file for path in made for file in ([path] if path.is_file() else path.rglob("*"))]
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(files) if f.is_file()}


def run(folder: Path, stage: str, *before: str) -> None:
    """Run a stage in a folder, with nothing kept from an earlier run."""
    environment = {"PYTHONPATH": str(ROOT), "LOOKBOOK_CACHE": str(folder / "cache")}
    done = subprocess.run(
        [*before, sys.executable, "-m", f"stages.{stage}"],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{done.stderr}error: {stage} failed in {folder}")


def prepare(folder: Path, changes: dict) -> None:
    """Make a folder in which stages run."""
    (folder / "data").mkdir(parents=True)
    (folder / "metrics").mkdir()
    for path in LINKED:
        (folder / path).symlink_to(ROOT / path)
    write_params(folder, changes)


def write_params(folder: Path, changes: dict) -> None:
    """Let the folder's parameters differ from the defaults."""
    params = merged(read_yaml(ROOT / "params.yaml"), changes)
    (folder / "params.yaml").write_text(yaml.safe_dump(params))


def prove(folder: Path) -> int:
    """Compare this processor with the emulated one; return how many files differ."""
    here, there = folder / "here", folder / "there"
    prepare(here, SMALL)
    for stage in ("download", "preprocess", *EMULATED):
        run(here, stage)
    differing = 0
    for stage in EMULATED:
        shutil.rmtree(there, ignore_errors=True)
        ignored = shutil.ignore_patterns("cache")
        shutil.copytree(here, there, symlinks=True, ignore=ignored)
        expected = contents(here, stage)
        for name in expected:
            (there / name).unlink()
        run(there, stage, *PROCESSOR)
        made = contents(there, stage)
        other = [name for name in expected if made.get(name) != expected[name]]
        print(f"{stage}: {len(expected) - len(other)} of {len(expected)} files are the same")
        print(*(f"    differs: {name}" for name in other), sep="\n", flush=True)
        differing += len(other)
    return differing


def cost(folder: Path) -> None:
    """Print what an epoch of each network takes with either promise."""
    for stage, (dataset, changes) in TIMED.items():
        place = folder / stage
        settings = {"dataset": dataset, stage: changes}
        prepare(place, settings)
        for earlier in ("download", "preprocess"):
            run(place, earlier)
        seconds: dict[str, list[float]] = {"everywhere": [], "machine": []}
        for _ in range(ROUNDS):
            for promise, epochs in seconds.items():
                write_params(place, settings | {"hardware": {"repeatable": promise}})
                epochs.append(timed(["-m", "benchmarks.talking", stage], place).epoch)
        everywhere, machine = map(statistics.median, seconds.values())
        ratios = [round(a / b, 2) for a, b in zip(*seconds.values(), strict=True)]
        print(
            f"{stage}: {everywhere:.2f} s and {machine:.2f} s an epoch, "
            f"{everywhere / machine:.2f}x ({min(ratios)} to {max(ratios)})",
            flush=True,
        )


def main() -> int | None:
    """Prove, or measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cost", action="store_true", help="what it costs")
    measures = parser.parse_args().cost
    if not measures and shutil.which(PROCESSOR[0]) is None:
        sys.exit(f"error: {PROCESSOR[0]} is not installed; on Debian it is in qemu-user")
    with tempfile.TemporaryDirectory() as name:
        return cost(Path(name)) if measures else prove(Path(name)) or None


if __name__ == "__main__":
    sys.exit(main())
