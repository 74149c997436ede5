"""Clones of this repository that share its cache, and a revision's pipeline run in one.

The work tree stays as it is.
"""

import logging
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from lookbook.foundation.errors import LookbookError
from lookbook.revisions.revision import Revision

DVC = (sys.executable, "-m", "dvc")

logger = logging.getLogger("rerun")


def rerun(revision: Revision, folder: Path, *options: str) -> None:
    """Run the whole pipeline of a revision in a clone of this repository.

    The clone uses this repository's cache.

    Args:
        revision: Of this repository.
        folder: Where the clone will be.
        options: Of `dvc repro`.

    Raises:
        LookbookError: If a step fails.
    """
    clone(revision, folder)
    command = [*DVC, "repro", *options]
    logger.info("running the pipeline of %s", revision.commit[:10])
    if subprocess.run(command, cwd=folder, stdout=sys.stderr).returncode:
        raise LookbookError(
            f"Expected the pipeline of {revision.name} to run. Received: a failure, told above. "
            "Mend its cause and run the command again."
        )


def clone(revision: Revision, folder: Path) -> None:
    """Make a clone of this repository at a revision, which shares its cache.

    People's own photos are there, as links where that can be.

    Args:
        revision: Of this repository.
        folder: Where the clone will be.
    """
    run("git", "clone", "--quiet", "--shared", "--no-checkout", ".", str(folder))
    run("git", "checkout", "--quiet", "--detach", revision.commit, cwd=folder)
    cache = Path(run(*DVC, "cache", "dir").strip()).absolute()
    run(*DVC, "cache", "dir", "--local", str(cache), cwd=folder)
    run(*DVC, "config", "--local", "cache.type", "reflink,hardlink,copy", cwd=folder)
    own = sorted(path.relative_to(folder).as_posix() for path in folder.glob("data/own/*.dvc"))
    if own:  # people's own photos, from the cache
        run(*DVC, "checkout", "--quiet", *own, cwd=folder)


def run(
    *command: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> str:
    """Run a command; return what it prints.

    Args:
        command: Its words.
        cwd: Where; here by default.
        environment: All its variables; those of this process by default.

    Raises:
        LookbookError: If it fails.
    """
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise LookbookError(
            f"Expected `{' '.join(command)}` to succeed. Received: {done.stderr.strip()}"
        )
    return done.stdout
