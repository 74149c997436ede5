"""Run a revision again and say whether its committed results hold on this machine.

    lookbook verify                 the last commit
    lookbook verify v1.0            another revision
    lookbook verify --exact         nothing may differ by a byte

Runs the whole pipeline in a temporary clone, takes nothing from the run cache, and reports for
every output of dvc.lock: `identical` to the byte, `within tolerance`, `drifted`, or `differs` where
there are no numbers to compare or where what was recorded is neither in Git nor in DVC's cache or a
remote. Then it says what was promised of them, and whether that was kept. Weights that differ by
rounding may drift while what the models say does not: the exit code is 1 only if the data differ or
a test accuracy has drifted.
"""

import argparse

from lookbook.foundation.errors import VERDICT
from lookbook.foundation.names import in_markdown, in_terminal

TOLERANCE = 0.02


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("revision", nargs="?", default="HEAD", help="branch, tag or commit")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help="default: %(default)s")
    parser.add_argument("--exact", action="store_true", help="fail if anything differs by a byte")


def run(arguments: argparse.Namespace) -> int | None:
    """Run the pipeline again; print what became of every output."""
    import tempfile
    from dataclasses import astuple
    from pathlib import Path

    import pandas as pd

    from lookbook.revisions.reruns import rerun
    from lookbook.revisions.revision import Revision
    from lookbook.revisions.verification import compare_outputs, failed, machine, promises

    revision = Revision(arguments.revision)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "lookbook")
        rerun(revision, folder, "--force", "--no-commit")
        findings = compare_outputs(revision, folder, arguments.tolerance)
        sentences = failed(findings, revision, folder, arguments.tolerance)
        same = sum(finding.verdict == "identical" for finding in findings)
        promised = promises(revision, folder, same == len(findings))
        table = pd.DataFrame([map(in_markdown, astuple(finding)) for finding in findings])
        table.columns = ["output", "verdict", "largest difference"]
        print(table.to_markdown(index=False), machine(folder), sep="\n\n", end="\n\n")
    print(f"{same} of {len(findings)} identical; the tolerance was {arguments.tolerance}.")
    print(promised)
    print(in_terminal("\n".join(sentences)))
    differs = arguments.exact and same < len(findings)
    return VERDICT if sentences or differs else None
