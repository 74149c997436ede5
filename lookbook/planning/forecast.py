"""What a learning curve says in figures and in a sentence."""

from lookbook.planning.measuring import Measured
from lookbook.planning.power_law import PowerLaw, fit_power_law

TIMES = [2.0 ** (step / 4) for step in range(9)]  # as many photos as now, up to four times
DIGITS = 4
LITTLE = 0.01  # of accuracy: twice as many photos that bring less are not worth their labels


def figures_of(measured: Measured, validation: int, learner: str) -> dict:
    """Return what metrics/learning_curve.json says of the curve.

    Args:
        measured: Accuracies on growing shares.
        validation: How many pictures they were measured on.
        learner: What they are of, in words.

    Returns:
        The sentence; `shares`, with mean and standard deviation of the measured accuracies and the
        accuracy that the law gives; and `forecast`, with the interval for more photos.
    """
    law = fit_power_law(*measured, validation)
    shares = [
        {
            "photos": int(photos),
            "draws": len(found),
            "accuracy": round(float(found.mean()), DIGITS),
            "deviation": round(float(found.std(ddof=1)), DIGITS) if len(found) > 1 else None,
            "fitted": round(law.expected(photos), DIGITS),
        }
        for photos, found in zip(*measured, strict=True)
    ]
    return {
        "sentence": sentence_of(law, float(measured.accuracies[-1].mean()), learner),
        "validation_photos": validation,
        "shares": shares,
        "forecast": [_forecast(law, times) for times in TIMES],
    }


def sentence_of(law: PowerLaw, now: float, learner: str) -> str:
    """Return what twice as many photos would bring, and whether something else brings more.

    Args:
        law: The learning curve.
        now: The accuracy with all training pictures, measured.
        learner: What it is of, in words.
    """
    low, high = law.interval(2 * law.photos)
    sentence = (
        f"Twice as many training photos ({2 * law.photos:,}): an accuracy of {learner} between "
        f"{low:.3f} and {high:.3f} is expected on the same validation photos, after {now:.3f} now"
    )
    if law.expected(2 * law.photos) - law.expected(law.photos) < LITTLE:
        sentence += "; the labels to check (`lookbook review`) matter more"
    return sentence + "."


def _forecast(law: PowerLaw, times: float) -> dict:
    photos = round(times * law.photos)
    low, high = law.interval(photos)
    bounds = {"accuracy": law.expected(photos), "low": low, "high": high}
    return {"photos": photos} | {key: round(value, DIGITS) for key, value in bounds.items()}
