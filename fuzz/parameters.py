"""params.yaml of another revision, or of another's fork."""

from pathlib import Path

from lookbook.foundation.params import load_params

SEEDS = [(Path(__file__).parents[1] / "params.yaml").read_bytes()]


def read(content: bytes, folder: Path) -> None:
    """Load the parameters."""
    path = folder / "params.yaml"
    path.write_bytes(content)
    load_params(path)
