"""Tables for people."""

import pandas as pd


def as_markdown(table: pd.DataFrame) -> str:
    """Return a table of text as Markdown, all columns but the first to the right."""
    align = ["left", *["right"] * (table.shape[1] - 1)]
    return table.to_markdown(index=False, disable_numparse=True, colalign=align)
