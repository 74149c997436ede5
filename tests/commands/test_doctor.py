"""The command: lines, JSON, exit codes."""

import json
from pathlib import Path

from support import run


def test_findings_are_lines_or_json_and_the_exit_code_is_2(repository, lookbook):
    run("dvc", "init", "-q", "-f", cwd=repository)
    assert lookbook("doctor")[:2] == (0, "nothing is wrong\n")
    partial = Path("models/.partial-x\x1b[31m")
    partial.parent.mkdir(exist_ok=True)
    partial.touch()
    code, out, _ = lookbook("doctor")
    assert code == 2
    assert out.splitlines() == [
        r"models/.partial-x\x1b[31m: a killed command has left it half written. "
        "Run `lookbook doctor --repair`.",
        "1 found, 0 mended",
    ]
    code, out, _ = lookbook("doctor", "--json")
    assert code == 2
    assert json.loads(out)["findings"] == [
        {
            "kind": "partial",
            "where": str(partial),
            "what": "a killed command has left it half written",
            "remedy": "Run `lookbook doctor --repair`.",
            "mended": False,
        }
    ]
    code, out, _ = lookbook("doctor", "--repair")
    assert code == 0
    assert out.splitlines()[-1] == "1 found, 1 mended"
    assert not partial.exists()
