"""Measure how long a model takes for a picture, and how long its training took here.

    lookbook timing        half a minute; the table is kept in metrics/times.md

A picture's time is that of the whole way from raw pixels to probabilities on one thread: alone, as
when someone waits for an answer, and in batches of 32. Times of trainings are known if they ran
here; where DVC brought their results from its cache, they are not.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TABLE = Path("metrics/times.md")
SECONDS = 2.0  # of measuring, for each figure
BATCH = 32


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments."""


def run(arguments: argparse.Namespace) -> None:
    """Measure every model; print and keep the table."""
    import numpy as np
    import pandas as pd
    import tensorflow as tf
    from threadpoolctl import threadpool_limits

    from lookbook.drawing.tables import as_markdown
    from lookbook.foundation.files import write_text
    from lookbook.foundation.stopwatch import noted
    from lookbook.ladder.models import load_model
    from lookbook.ladder.rungs import RUNGS
    from lookbook.splits.split import Split

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    validation, trained = Split("validation"), noted()
    pictures = validation.images(np.arange(min(BATCH, len(validation))))
    rows = []
    for rung in RUNGS:
        name, model = rung.name, load_model(rung.file)
        with threadpool_limits(1):  # for NumPy's products; TensorFlow has threads of its own
            alone = milliseconds(model.look, pictures[:1])
            together = milliseconds(model.look, pictures)
        rows.append(
            {
                "model": name,
                "training, seconds": f"{trained[name]:.1f}" if name in trained else "not run here",
                "one picture, ms": f"{alone:.3f}",
                f"of {len(pictures)}, ms each": f"{together:.3f}",
            }
        )
    table = as_markdown(pd.DataFrame(rows))
    write_text(TABLE, table + "\n")
    print(f"\n{table}\n")


def milliseconds(call: Callable[[Any], Any], pictures: Any) -> float:
    """Return the median time of a call, divided by its pictures, in milliseconds.

    Args:
        call: Takes the pictures.
        pictures: uint8 of shape (n, height, width, channels).
    """
    call(pictures)  # traced and compiled now
    taken: list[float] = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(taken) < 3:
        start = time.perf_counter()
        call(pictures)
        taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken) / len(pictures)
