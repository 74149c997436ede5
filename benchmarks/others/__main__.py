"""Lookbook against what people would pick instead: PyTorch, Keras's fit, scikit-learn.

    python -m benchmarks.others steps      a training step of the default train_cnn
    python -m benchmarks.others accuracy   the same network until a validation accuracy
    python -m benchmarks.others digits     the ladder, and scikit-learn's example for its digits
    python -m benchmarks.others photos     train_transfer, and a linear probe of the same base
    python -m benchmarks.others            all four
    python -m benchmarks.others steps --rounds 1 --steps 10     a quick look

Each of the others has an environment of its own, .venv-others/NAME, made here from NAME.txt. The
networks are the same, with the same kind of start, on the same pictures of Fashion-MNIST without
augmentation, in batches of 128, by AdamW (ours learns by Muon otherwise) with the same settings, on
two processors. Programs take turns; figures are medians of all rounds, with the smallest and the
largest.

For `steps` all programs are started first, and each trains an epoch that does not count: imports,
tracing and compilation are left out. `accuracy` counts them: from the start of a process until
validation data first reach the figure, asked after each epoch of a short training.

Needs a C++ compiler, for torch.compile; Fashion-MNIST and the sample of cats and dogs: the network,
or LOOKBOOK_MIRROR; and Linux.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.__main__ import ROOT, timed
from benchmarks.processors import prepare, run
from lookbook.foundation import arithmetic
from lookbook.foundation.schema import read_yaml
from lookbook.training.devices import BFLOAT16

SCRIPTS = Path(__file__).parent
ENVIRONMENTS = ROOT / ".venv-others"
PROCESSORS = 2
EPOCHS, BATCHES = 5, 94  # of a training to a validation accuracy
TARGET = 0.9


class Contender(NamedTuple):
    """A program that trains the network.

    Attributes:
        name: What the tables call it.
        environment: A folder of .venv-others; empty for this one.
        script: Of this folder.
        options: Of the script.
    """

    name: str
    environment: str
    script: str
    options: tuple[str, ...] = ()

    @property
    def precision(self) -> str:
        """That of its arithmetic."""
        return "bfloat16" if "bfloat16" in self.options else "float32"


KINDS = [
    Contender("Lookbook, `machine`", "", "ours.py"),
    Contender("PyTorch, eager", "pytorch", "pytorch.py"),
    Contender("PyTorch, eager, channels_last", "pytorch", "pytorch.py", ("channels_last",)),
    Contender("PyTorch, torch.compile", "pytorch", "pytorch.py", ("channels_last", "compile")),
    Contender("Keras, fit", "keras", "keras_fit.py"),
]
EVERYWHERE = Contender("Lookbook, `everywhere`", "", "ours.py", ("everywhere",))


def contenders() -> list[Contender]:
    """Return all that this processor has the arithmetic for."""
    half = [kind._replace(options=(*kind.options, "bfloat16")) for kind in KINDS]
    return [*KINDS, EVERYWHERE, *(half if BFLOAT16 & arithmetic.instructions() else [])]


def python_of(environment: str) -> str:
    """Return the Python of an environment, which is made where it is missing or an old one."""
    if not environment:
        return sys.executable
    folder, wanted = ENVIRONMENTS / environment, SCRIPTS / f"{environment}.txt"
    python, made = folder / "bin/python", folder / wanted.name
    if not made.is_file() or made.read_bytes() != wanted.read_bytes():
        say(f"installing {wanted.name}")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--requirement", wanted]
        subprocess.run(install, check=True)
        shutil.copyfile(wanted, made)
    return str(python)


class Training:
    """A contender's process."""

    def __init__(self, contender: Contender, folder: Path, **numbers: int):
        """Start it, and wait until it is ready.

        Args:
            contender: What to start.
            folder: Where data/processed is.
            numbers: The options `epochs`, `steps` and `seed` of `benchmarks.others.rounds.Task`.
        """
        self.contender = contender
        defaults = read_yaml(ROOT / "params.yaml")["train_cnn"]
        settings = json.dumps(defaults | {"optimizer": "adam"})  # which all of them have
        options = [f"--{name}={number}" for name, number in numbers.items()]
        script = [SCRIPTS / contender.script, *contender.options, f"--settings={settings}"]
        python = python_of(contender.environment)
        self._complaints = folder / "-".join([contender.script, *contender.options])
        self._started = time.perf_counter()
        with self._complaints.open("w") as stderr:
            self._process = subprocess.Popen(
                [python, *script, *options],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        self._answer()

    def __enter__(self) -> "Training":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def lasted(self) -> float:
        """Seconds since its start."""
        return time.perf_counter() - self._started

    @property
    def peak(self) -> float:
        """The largest memory that it has taken so far, in MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1024

    def ask(self, word: str) -> float:
        """Return the answer to `train` or `accuracy`, see `benchmarks.others.rounds`."""
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return float(self._answer())

    def _answer(self) -> str:
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"{self._complaints.read_text()}error: {told(self.contender)} failed")
        return line


@contextlib.contextmanager
def splits_of(dataset: str) -> Iterator[Path]:
    """Give a folder with the splits of a data set, in which stages run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, dataset)
        prepare(folder, {"dataset": dataset})
        for stage in ("download", "preprocess"):
            run(folder, stage)
        yield folder


def compare_steps(options: argparse.Namespace) -> None:
    """Print what a training step takes. All programs are started first, and then take turns."""
    numbers = {"epochs": 1 + options.rounds, "steps": options.steps, "seed": 0}
    with splits_of("fashion_mnist") as folder, contextlib.ExitStack() as running:
        trainings, seconds = {}, {}
        for contender in contenders():
            training = running.enter_context(Training(contender, folder, **numbers))
            training.ask("train")
            trainings[contender], seconds[contender] = training, []
            say(f"{told(contender)}: ready after {training.lasted:.0f} s")
        for number in range(options.rounds):
            for contender, training in trainings.items():
                seconds[contender].append(training.ask("train"))
            say(f"round {number + 1} of {options.rounds}")
        memory = {contender: training.peak for contender, training in trainings.items()}
    print_table(
        ["program", "arithmetic", "ms a step", "against Lookbook", "memory, MB"],
        (
            [
                *(contender.name, contender.precision),
                spread([1000 * each / options.steps for each in spent], ".1f"),
                against_ours(contender, seconds),
                f"{memory[contender]:,.0f}",
            ]
            for contender, spent in seconds.items()
        ),
    )


def compare_accuracy(options: argparse.Namespace) -> None:
    """Print the seconds until validation data first reach `TARGET`, each round with a seed."""
    seconds = {contender: [] for contender in contenders()}
    reached = {contender: [] for contender in seconds}
    with splits_of("fashion_mnist") as folder:
        for seed in range(options.rounds):
            numbers = {"epochs": EPOCHS, "steps": BATCHES, "seed": seed}
            for contender in seconds:
                with Training(contender, folder, **numbers) as training:
                    until, curve = float("inf"), []
                    for _ in range(EPOCHS):
                        training.ask("train")
                        curve.append(training.ask("accuracy"))
                        if curve[-1] >= TARGET:
                            until = min(until, training.lasted)
                seconds[contender].append(until)
                reached[contender].append(curve[-1])
                say(f"{told(contender)}: {until:.0f} s;", *(f"{each:.4f}" for each in curve))
    print_table(
        ["program", "arithmetic", f"s to {TARGET}", "against Lookbook", "accuracy at the end"],
        (
            [
                *(contender.name, contender.precision),
                spread(spent, ".0f"),
                against_ours(contender, seconds),
                spread(reached[contender], ".4f"),
            ]
            for contender, spent in seconds.items()
        ),
    )


def against_ours(contender: Contender, seconds: dict[Contender, list[float]]) -> str:
    """Return how many times as long as Lookbook in the same arithmetic it takes, in pairs."""
    ours = next(other for other in seconds if other.precision == contender.precision)
    pairs = zip(seconds[contender], seconds[ours], strict=True)
    return "1" if contender == ours else spread([other / own for other, own in pairs], ".2f")


def compare_digits(options: argparse.Namespace) -> None:
    """Print scikit-learn's example for its digits beside the ladder's models."""
    other = Contender("scikit-learn, SVC(gamma=.001)", "scikit_learn", "digits_svc.py")
    ours = {name: f"{name}.keras" for name in ("train_ann", "train_cnn")}
    compare_stages("digits", other, {"baseline": "baseline.npz"} | ours, options.rounds)


def compare_photos(options: argparse.Namespace) -> None:
    """Print a linear probe of photos of cats and dogs beside train_transfer."""
    other = Contender("frozen base, LogisticRegression", "keras", "photos_probe.py")
    ours = {"train_transfer": "train_transfer.keras"}
    compare_stages("cats_vs_dogs_sample", other, ours, options.rounds)


def compare_stages(dataset: str, other: Contender, models: dict[str, str], rounds: int) -> None:
    """Print what another program and our stages take as whole processes, and how good they are.

    Args:
        dataset: Its card.
        other: Prints its accuracy on the test split.
        models: The files of folder models that the stages leave, by stage.
        rounds: How often.
    """
    script, python = str(SCRIPTS / other.script), python_of(other.environment)
    with splits_of(dataset) as folder:
        runs = {name: [] for name in (other.name, *models)}
        for number in range(rounds):
            runs[other.name].append(timed([script], folder, python=python))
            for stage in models:
                shutil.rmtree(folder / "cache/features", ignore_errors=True)
                runs[stage].append(timed(["-m", f"stages.{stage}"], folder))
            say(f"round {number + 1} of {rounds}")
        accuracies = {other.name: said(python, script, folder=folder)}
        for stage, file in models.items():
            tested = str(SCRIPTS / "tested.py")
            accuracies[stage] = said(sys.executable, tested, f"models/{file}", folder=folder)
    print_table(
        ["program", "accuracy on test data", "s", "memory, MB"],
        (
            [
                name,
                accuracies[name],
                spread([each.seconds for each in took], ".1f"),
                spread([each.peak for each in took], ",.0f"),
            ]
            for name, took in runs.items()
        ),
    )


def said(*command: str, folder: Path) -> str:
    """Return the accuracies that a program prints."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    done = subprocess.run(command, cwd=folder, env=environment, text=True, check=True, **pipes)
    return "; ".join(f"{float(line):.4f}" for line in done.stdout.split())


def spread(values: Sequence[float], form: str) -> str:
    """Return the median of all rounds, with the smallest and the largest."""
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:{form}} ({low:{form}}-{high:{form}})"


def told(contender: Contender) -> str:
    """Return what a line about it begins with."""
    return f"{contender.name}, {contender.precision}"


def say(*words: str) -> None:
    """Say how far it is, where it is not in the way of the tables."""
    print(*words, file=sys.stderr, flush=True)


def print_table(head: list[str], rows: Iterator[list[str]]) -> None:
    """Print a Markdown table."""
    print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(flush=True)


COMPARISONS = {
    "steps": compare_steps,
    "accuracy": compare_accuracy,
    "digits": compare_digits,
    "photos": compare_photos,
}


def main() -> None:
    """Make the tables that the command line names, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", nargs="*", metavar="|".join(COMPARISONS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=50, help="of a round of `steps`")
    options = parser.parse_args()
    unknown = sorted(set(options.tables) - set(COMPARISONS))
    if unknown or options.rounds < 1 or options.steps < 2:
        parser.error(
            f"Expected tables out of {', '.join(COMPARISONS)}, --rounds from 1 and --steps from 2. "
            f"Received: {' '.join(sys.argv[1:])}."
        )
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:PROCESSORS])
    # What the machine prescribes for all programs, and Lookbook's settle for themselves.
    os.environ.pop("OPENBLAS_CORETYPE", None)
    os.environ["OMP_NUM_THREADS"] = str(PROCESSORS)
    say(f"{processor()}; {PROCESSORS} processors")
    for name in options.tables or COMPARISONS:
        COMPARISONS[name](options)


def processor() -> str:
    """Return what the processor calls itself, and its arithmetic of bfloat16."""
    model = re.search(r"model name\s*: (.*)", arithmetic.PROCESSOR.read_text())[1]
    half = ", ".join(sorted(BFLOAT16 & arithmetic.instructions())) or "no bfloat16"
    return f"{model} ({half})"


if __name__ == "__main__":
    main()
