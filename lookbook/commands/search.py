"""Search for better settings of a network, with an honest report.

    lookbook search train_ann --trials 30               ranges and choices are in search.yaml
    lookbook search train_cnn --trials 40 --workers 2   two trials at a time

With DASK_SCHEDULER_ADDRESS set, they run on the workers of that cluster of Dask.

Each trial is a DVC experiment that starts from HEAD, in a clone that shares the cache: the work
tree stays as it is, `dvc exp show` lists the trials, `dvc exp apply NAME` keeps one. Trials with
poor curves are ended early. Killed and started again with the same words, it goes on. At the end
search/NAME/report.md says what to expect of the best on new data, which settings are within noise
of it, and which of them matter. Test pictures are not looked at. Needs the extra `search`.
"""

import argparse
import contextlib
import os
import subprocess
import threading
from pathlib import Path

from lookbook.foundation.errors import LookbookError

FOLDER = Path("search")
CLONES = Path(".dvc/tmp/search")
# What trials depend on, and take from HEAD. Metrics follow from it.
COMMITTED = ("params.yaml", "dvc.yaml", "dvc.lock", "data", "lookbook", "stages", ".dvc")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("stage", metavar="STAGE", help="train_ann, train_cnn or train_transfer")
    parser.add_argument(
        "--trials", type=int, default=30, help="with those of earlier runs; %(default)s"
    )
    parser.add_argument(
        "--workers", type=int, help="trials at a time; 1, or all the workers of a Dask cluster"
    )
    parser.add_argument("--seed", type=int, default=0, help="of what is tried; %(default)s")


def run(arguments: argparse.Namespace) -> None:
    """Say what it will take, search, report."""
    check_arguments(arguments)
    from lookbook.experiments.space import load_space

    space = load_space(arguments.stage)
    try:
        from lookbook.experiments.search import Search, Tried, held, identity
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise LookbookError(
            "Expected what `lookbook search` needs to be installed. Received: no optuna. Run "
            "`pip install 'lookbook[search]'`, or `pip install '.[search]'` in a clone."
        ) from error
    from lookbook.cluster.connecting import connected
    from lookbook.experiments.search_report import told, what_it_takes, write_report
    from lookbook.experiments.trials import Clone, Place
    from lookbook.foundation.files import remove
    from lookbook.foundation.git import head_of
    from lookbook.foundation.stopwatch import noted
    from lookbook.splits.headline import Headline
    from lookbook.splits.split import Split

    check_committed()
    client = connected()
    name = f"{space.stage}-{identity(head_of(Path()), space, arguments.seed)}"
    ended = threading.Event()
    count = 1 if client else arguments.workers or 1
    clones = [
        Clone(CLONES / f"{name}-{os.getpid()}-{number}", space.stage, ended)
        for number in range(count)
    ]
    with held(FOLDER / name):
        remove_abandoned(name)
        try:
            print(f"{name}: the settings at HEAD come first", flush=True)
            baseline = clones[0].prepare()
            processed = clones[0].folder / "data/processed"
            train, validation = (Split(part, processed) for part in ("train", "validation"))
            headline = Headline.of(train, validation)
            search = Search(
                name,
                FOLDER / name,
                space,
                seed=arguments.seed,
                baseline=baseline,
                classes=headline.strata(validation.labels),
            )

            def tell(trial: Tried) -> None:
                print(told(trial, arguments.trials, search.classes), flush=True)

            if to_come := max(0, arguments.trials - len(search.tried())):
                places: list[Place] = [*clones]
                if client:
                    from lookbook.experiments.remote import on_cluster

                    places = [*on_cluster(client, clones[0])[: arguments.workers]]
                places = places[:to_come]
                seconds = noted().get(space.stage, clones[0].seconds)
                print(what_it_takes(space.stage, to_come, len(places), seconds), flush=True)
                for clone in clones[1:to_come]:
                    clone.prepare()
                search.run(arguments.trials, places, tell, ended)
            print(f"\n{write_report(FOLDER / name, search, headline)}\n")
            print(f"the table and the picture: {FOLDER / name / 'report.md'}")
        finally:
            ended.set()
            for clone in clones:
                remove(clone.folder)


def remove_abandoned(name: str) -> None:
    """Remove the clones of searches that were killed: those of each that nobody else holds.

    Args:
        name: Of the search that is held here.
    """
    from lookbook.experiments.search import held
    from lookbook.foundation.files import remove

    for left in CLONES.glob("*-*-*"):
        owner = left.name.rsplit("-", 2)[0]
        holding = contextlib.nullcontext() if owner == name else held(FOLDER / owner)
        with contextlib.suppress(LookbookError), holding:
            remove(left)


def check_arguments(arguments: argparse.Namespace) -> None:
    """Raise a LookbookError if a number is none that can be."""
    bounds = {"trials": (1, 10_000), "workers": (1, 256), "seed": (0, 2**32 - 1)}
    for name, (least, most) in bounds.items():
        received = getattr(arguments, name)
        if received is not None and not least <= received <= most:
            raise LookbookError(
                f"Expected --{name} from {least} to {most:,}. Received: {received}. "
                "Choose another number."
            )


def check_committed() -> None:
    """Raise a LookbookError if there are changes that trials, which start from HEAD, would miss."""
    command = ["git", "status", "--porcelain", "--", *COMMITTED]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise LookbookError(
            "Expected a Git repository, in which experiments are kept. Received: "
            f"{done.stderr.strip() or 'none'}. Run `lookbook doctor`."
        )
    changed = [line[3:] for line in done.stdout.splitlines()]
    if changed:
        raise LookbookError(
            "Expected nothing uncommitted among what trials start from, which is HEAD. Received: "
            f"changes in {', '.join(changed)}. Commit them (`git commit -am WORDS`), or put them "
            "aside (`git stash`)."
        )
