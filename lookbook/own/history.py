"""The versions of a set, as Git has its card."""

import subprocess

import pandas as pd

from lookbook.datasets.cards import card_path
from lookbook.foundation import bounded_yaml
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.names import in_markdown


def versions(dataset: str) -> pd.DataFrame:
    """Return a row of text for each version of a set, the newest first.

    Raises:
        LookbookError: If Git does not know its card.
    """
    path = card_path(dataset).as_posix()
    shape = "%h%x09%as%x09%an%x09%s"
    lines = _git("log", f"--format={shape}", "--", path).splitlines()
    if not lines:
        raise LookbookError(
            f"Expected versions of {path} in Git. Received: none. Commit the set first."
        )
    rows = []
    for line in lines:
        commit, date, author, subject = line.split("\t", 3)
        try:
            card = bounded_yaml.load(_git("show", f"{commit}:{path}")) or {}
        except (LookbookError, ValueError):
            card = {}  # it was taken away there
        counts = card.get("counts", {})
        rows.append(
            {
                "commit": commit,
                "date": date,
                "photos": f"{sum(counts.values()):,}",
                "classes": ", ".join(
                    f"{in_markdown(name)} {count:,}" for name, count in counts.items()
                ),
                "list": (card.get("files") or [{}])[0].get("sha256", "")[:8],
                "by": in_markdown(author),
                "what for": in_markdown(subject),
            }
        )
    return pd.DataFrame(rows)


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True)
    if done.returncode:
        raise LookbookError(
            f"Expected `git {' '.join(words)}` to succeed. Received: {done.stderr.strip()}"
        )
    return done.stdout
