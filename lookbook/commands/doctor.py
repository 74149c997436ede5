"""Look for what is wrong with this clone, and mend it.

    lookbook doctor                 a line for each fault, with its remedy
    lookbook doctor --repair        mend what can be mended without loss
    lookbook doctor --json          for programs

Looks at the environment, at what killed runs have left, at dvc.lock, at every file in DVC's cache
and in the tree against its hash, at sets of your own and at the remote. What is in the way of a
repair is put aside in .dvc/tmp/aside, not deleted; `dvc repro` makes what is then missing. The exit
code is 2 while something is wrong.
"""

import argparse

from lookbook.foundation.errors import FAULT


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--repair", action="store_true", help="mend what can be mended")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int | None:
    """Look; print what is wrong."""
    import json

    from lookbook.doctor.examining import examine
    from lookbook.foundation.names import in_terminal

    found = []
    for finding, mended in examine(repair=arguments.repair):
        found.append(finding.as_dict() | {"mended": mended})
        if not arguments.json:
            print(
                in_terminal(f"mended: {finding.where}: {finding.what}" if mended else f"{finding}")
            )
    wrong = sum(not entry["mended"] for entry in found)
    if arguments.json:
        print(json.dumps({"findings": found}, indent=2, ensure_ascii=False))
    else:
        print(f"{len(found)} found, {len(found) - wrong} mended" if found else "nothing is wrong")
    return FAULT if wrong else None
