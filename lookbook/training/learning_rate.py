"""Learning-rate range test: raise the rate and see where the loss falls and breaks.

Leslie N. Smith, arXiv 1506.01186.
"""

from collections.abc import Iterable

import keras
import numpy as np
from tqdm import tqdm

LOWEST, HIGHEST, STEPS = 1e-6, 1.0, 200
MEMORY = 0.9  # of the moving average that smooths the loss
SPAN = 20  # steps
BROKEN = 4  # times the lowest loss: the end of the test


def range_test(trainer: keras.Model, batches: Iterable[tuple]) -> tuple[np.ndarray, np.ndarray]:
    """Take a step at each rate, until the loss breaks.

    Args:
        trainer: A compiled model.
        batches: As many (inputs, targets) as wanted.

    Returns:
        The rates, and the loss after each, smoothed; both float64 of the same length.
    """
    rates, losses = [], []
    smoothed, lowest = 0.0, np.inf
    planned = np.geomspace(LOWEST, HIGHEST, STEPS)
    for step, (rate, batch) in enumerate(zip(tqdm(planned, disable=None), batches, strict=False)):
        trainer.optimizer.learning_rate = rate
        trainer.reset_metrics()
        loss = trainer.train_on_batch(*batch, return_dict=True)["loss"]
        smoothed = MEMORY * smoothed + (1 - MEMORY) * float(loss)
        corrected = smoothed / (1 - MEMORY ** (step + 1))
        if not np.isfinite(corrected) or corrected > BROKEN * lowest:
            break
        lowest = min(lowest, corrected)
        rates.append(rate)
        losses.append(corrected)
    return np.array(rates), np.array(losses)


def steepest(rates: np.ndarray, losses: np.ndarray) -> float:
    """Return the rate at which the loss falls fastest by the logarithm of the rate.

    The fall is taken over `SPAN` steps: from one to the next, and above all in the first ones, of
    which the average holds few, it is noise.
    """
    span = min(SPAN, len(rates) - 1)
    falls = losses[: len(losses) - span] - losses[span:]
    return float(rates[falls.argmax() + span // 2])
