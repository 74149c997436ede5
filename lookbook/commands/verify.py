"""Does the pipeline give the committed results on this machine?

    python -m lookbook.commands.verify                 the last commit
    python -m lookbook.commands.verify v1.0            another revision
    python -m lookbook.commands.verify --exact         nothing may differ by a byte

Runs the whole pipeline in a temporary clone, takes nothing from the run cache, and reports for
every output of dvc.lock: `identical` to the byte, `within tolerance`, `drifted`, or `differs` where
there are no numbers to compare or where what was recorded is neither in Git nor in DVC's cache or a
remote. Another processor changes the last digits of weights, which may then drift while what the
models say does not: the exit code is 1 only if the data differ or a test accuracy has drifted.
"""

import argparse
import sys
import tempfile
from dataclasses import astuple
from functools import partial
from pathlib import Path

import pandas as pd

from lookbook.foundation.errors import explains_errors
from lookbook.revisions.reruns import rerun
from lookbook.revisions.revision import Revision
from lookbook.revisions.verification import compare_outputs, failed, machine

TOLERANCE = 0.02
DIFFERENT, FAILED = 1, 2  # exit codes


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m lookbook.commands.verify", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("revision", nargs="?", default="HEAD", help="branch, tag or commit")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help="default: %(default)s")
    parser.add_argument("--exact", action="store_true", help="fail if anything differs by a byte")
    return parser.parse_args()


@partial(explains_errors, code=FAILED)
def main() -> None:
    """Run the pipeline again; print what became of every output."""
    chosen = arguments()
    revision = Revision(chosen.revision)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "lookbook")
        rerun(revision, folder, "--force", "--no-commit")
        findings = compare_outputs(revision, folder, chosen.tolerance)
        sentences = failed(findings, revision, folder, chosen.tolerance)
        table = pd.DataFrame([astuple(finding) for finding in findings])
        table.columns = ["output", "verdict", "largest difference"]
        print(table.to_markdown(index=False), machine(folder), sep="\n\n", end="\n\n")
    same = sum(finding.verdict == "identical" for finding in findings)
    print(f"{same} of {len(findings)} identical; the tolerance was {chosen.tolerance}.")
    print("\n".join(sentences))
    if sentences or (chosen.exact and same < len(findings)):
        sys.exit(DIFFERENT)


if __name__ == "__main__":
    main()
