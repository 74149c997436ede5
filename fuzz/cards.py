"""Cards of other people's data sets and bases: YAML, and what it says."""

from pathlib import Path

from lookbook.datasets.cards import load_card

ROOT = Path(__file__).parents[1]
HOSTILE = [
    b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b, *a]\n",
    b"title: !!python/object/apply:os.system [true]\n",
    b"- !!binary abc\n- 2001-01-01\n- !!set {a, b}\n- 0x1f\n- 1_000\n- 1:30\n- .inf\n- ~\n",
    b"? [a, b]\n: {c: d}\n<<: {e: f}\n",
    b"%YAML 1.1\n--- !!map\na: |-\n  text\n...\n---\nb: >+\n  more\n",
]
SEEDS = [path.read_bytes() for path in sorted(ROOT.glob("data/cards/*.yaml"))[:6]] + HOSTILE


def read(content: bytes, folder: Path) -> None:
    """Load the card of a set called pets."""
    (folder / "pets.yaml").write_bytes(content)
    load_card("pets", folder)
