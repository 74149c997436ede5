"""The model card of exported models, in the form that model hubs read: what they are, what for."""

from pathlib import Path

import pandas as pd
import yaml

from lookbook.drawing.tables import as_markdown
from lookbook.exporting.proof import tolerance
from lookbook.foundation.names import in_markdown
from lookbook.inference.card import EXPORTED, Card

TEXT = """\
# {title}

{pick} tells {classes} apart: {names}.

It was made by a Lookbook pipeline from {train:,} training pictures; {validation:,} others chose its
settings and thresholds, and {test:,} that no training saw measured it.

## How good they are

{table}

"Covered" is the share of test pictures whose true class was among those in question, where
{coverage:g} was promised; "kept" the share that was not called a stranger; "answered" the share
that got a single class. About the others the answer is `unsure`, with the classes in question, or
`none of these`.

Each file was compared with the network that was measured, on every test picture, many at once and
one at a time: no prediction differs, and no probability by more than {difference:g}.

## How to run them

```
pip install .   # in a clone of Lookbook: NumPy, Pillow and LiteRT, no TensorFlow
lookbook predict photo.jpg --model {file}
```

```python
from lookbook.inference import Classifier

Classifier("{file}").predict(["photo.jpg"])
```

Any other LiteRT runtime does as well: the input `pixels` is uint8, (n, {size}, {size}, {channels}),
pictures brought to that size by `{resize}`; the outputs are `probabilities`, `calibrated` and
`strangeness`. The card inside each file (a zip archive behind its end) has the classes' order and
the thresholds.

## What they are for, and what not

Pictures like those that they learnt from. Of others they know only that they are strange, and not
always that; the threshold was chosen to keep a share of {kept:g} of pictures like these. Nothing is
known of how errors are spread over groups of people, places or cameras that the data do not tell
apart.

## Data and licences

Data set `{dataset}`: {data_licence}. {base}Training data, SHA-256: `{data_sha256}`.
"""


def model_card(cards: list[Card], figures: dict, *, dataset: str, counts: dict) -> str:
    """Return the model card of all exported models, Markdown with a YAML header.

    Args:
        cards: Of each, one of them the picked one.
        figures: What evaluate says of each.
        dataset: The data set's name.
        counts: Pictures of each split.
    """
    pick = next(card for card in cards if card.is_picked)
    rows = [_row(card, figures[card.name]) for card in cards]
    bases = [card.licences["base"] for card in cards if card.licences["base"]]
    base = f"Base of the transfer model: {bases[0]}. " if bases else ""
    text = TEXT.format(
        title=f"Classifiers of {dataset}",
        pick=f"`{file_of(pick.name).name}`, which validation data picked of these,",
        classes=f"{len(pick.class_names)} classes",
        names=", ".join(map(in_markdown, pick.class_names)),
        **counts,
        table=as_markdown(pd.DataFrame(rows)),
        coverage=pick.coverage,
        difference=tolerance(pick),
        file=file_of(pick.name).as_posix(),
        size=pick.image_size,
        channels=pick.channels,
        resize=pick.resize,
        kept=pick.kept,
        dataset=dataset,
        data_licence=in_markdown(pick.licences["data"]),
        base=base,
        data_sha256=pick.data_sha256,
    )
    return f"---\n{yaml.safe_dump(_header(cards, dataset), sort_keys=False)}---\n\n{text}"


def file_of(model: str) -> Path:
    """Return where an exported model is kept."""
    return EXPORTED / f"{model}.tflite"


def _header(cards: list[Card], dataset: str) -> dict:
    return {
        "library_name": "litert",
        "pipeline_tag": "image-classification",
        "license": "other",
        "license_name": cards[0].licences["data"],
        "metrics": ["accuracy"],
        "model-index": [
            {
                "name": card.name,
                "results": [
                    {
                        "task": {"type": "image-classification"},
                        "dataset": {"type": dataset, "name": dataset},
                        "metrics": [
                            {"type": "accuracy", "value": round(card.accuracy["figure"], 6)}
                        ],
                    }
                ],
            }
            for card in cards
        ],
    }


def _row(card: Card, figures: dict) -> dict[str, str]:
    accuracy, answers = card.accuracy, figures["answers"]
    right = answers["answered_right"]
    return {
        "model": f"{card.title}, `{file_of(card.name).name}`",
        "test accuracy": f"{accuracy['figure']:.4f}",
        "95 % interval": f"{accuracy['low']:.4f}-{accuracy['high']:.4f}",
        "weights": card.weights,
        "covered": f"{answers['covered']:.3f}",
        "kept": f"{1 - answers['strangers']:.3f}",
        "answered": f"{answers['answered']:.3f}",
        "right of those": "-" if right is None else f"{right:.4f}",
    }
