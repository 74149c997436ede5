"""Export the models as files that run without the pipeline, and prove that they say the same.

In: the models, what evaluate measured of them (figures, doubt, predictions), and the pixels of the
test pictures; no label is opened. Out: models/export/<model>.tflite, each with its card inside, and
a model card for people, models/export/README.md.

Every file is compared with the network that was measured, picture by picture, many at once and one
at a time. One changed prediction stops the stage, and nothing is exported.

    python -m stages.export          12 s on digits
"""

import json
import logging
import math
from importlib.metadata import version
from pathlib import Path

from lookbook.datasets.cards import load_card
from lookbook.evaluation.doubt import Doubt, load_doubt
from lookbook.evaluation.predictions import prediction_file, read_predictions
from lookbook.evaluation.scores import picked
from lookbook.exporting.litert import converted
from lookbook.exporting.model_card import file_of, model_card
from lookbook.exporting.network import answering_network
from lookbook.exporting.proof import prove
from lookbook.foundation.errors import explains_errors
from lookbook.foundation.files import replacing, sha256_of, write_json, write_text
from lookbook.foundation.params import Params, load_params
from lookbook.foundation.schema import read_yaml
from lookbook.foundation.versions import VERSIONS
from lookbook.inference.card import EXPORTED, FORMAT, Card, with_card
from lookbook.ladder.models import load_model
from lookbook.ladder.rungs import RUNGS, Rung
from lookbook.splits.headline import Headline
from lookbook.splits.spec import Spec
from lookbook.splits.split import Split

FIGURES = Path("metrics/evaluate.json")
BASES = Path("data/bases")
METRICS = Path("metrics/export.json")

logger = logging.getLogger("export")


def card_of(
    rung: Rung,
    params: Params,
    figures: dict,
    doubt: Doubt,
    spec: Spec,
    *,
    is_picked: bool,
    data_sha256: str,
) -> Card:
    """Return what there is to know of an exported model.

    Args:
        rung: Which one it is.
        params: Of the pipeline.
        figures: Of the model, as evaluate wrote them.
        doubt: What evaluate found out about the model.
        spec: Of the pictures.
        is_picked: Whether validation data pick it.
        data_sha256: Of the training pictures and labels.
    """
    data = load_card(params.dataset)
    return Card(
        format=FORMAT,
        name=rung.name,
        title=rung.title,
        is_picked=is_picked,
        dataset=data.title,
        training_pictures=spec.counts["train"],
        class_names=spec.class_names,
        image_size=spec.image_shape[0],
        channels=spec.image_shape[2],
        resize=params.preprocess.resize,
        weights=params.export.weights,
        temperature=doubt.temperature,
        coverage=doubt.coverage,
        least_probability=doubt.least_probability,
        kept=doubt.kept,
        most_strangeness=doubt.most_strangeness,
        accuracy={
            "figure": figures["accuracy"],
            "low": figures["accuracy_low"],
            "high": figures["accuracy_high"],
            "pictures": spec.counts["test"],
        },
        model_sha256=sha256_of(rung.file),
        data_sha256=data_sha256,
        versions={name: version(name) for name in [*VERSIONS, "ai-edge-litert"]},
        licences={"data": data.licence, "base": base_licence(rung)},
    )


def base_licence(rung: Rung) -> str:
    """Return what is known of the licence of a model's base; empty for a model without one."""
    base = json.loads(rung.metrics.read_text(encoding="utf-8")).get("base")
    if base is None:
        return ""
    card = BASES / f"{base}.yaml"
    known = read_yaml(card)["licence"] if card.is_file() else "see keras.io/api/applications"
    return f"{base} ({known})"


@explains_errors
def main() -> None:
    """Export every model that the parameters ask for, prove it, write its figures."""
    params, train, test = load_params(), Split("train"), Split("test")
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    pick = picked(figures, Headline.of(train, Split("validation")))
    data_sha256 = train.fingerprint()
    cards, proofs = [], {}
    with replacing(EXPORTED) as folder:
        folder.mkdir()
        for rung in RUNGS:
            if params.export.models == "picked" and rung.name != pick:
                continue
            doubt = load_doubt(rung.name)
            card = card_of(
                rung,
                params,
                figures[rung.name],
                doubt,
                train.spec,
                is_picked=rung.name == pick,
                data_sha256=data_sha256,
            )
            model = load_model(rung.file)
            network = answering_network(rung.name, model, doubt, train.image_shape)
            path = folder / file_of(rung.name).name
            path.write_bytes(with_card(converted(network, half=card.weights == "float16"), card))
            said = prediction_file(rung.name, "test")
            measured = read_predictions(said, str(said))
            proofs[rung.name] = prove(path, test, measured, doubt)
            cards.append(card)
            logger.info("%s", told(rung.name, proofs[rung.name], path.stat().st_size))
        text = model_card(cards, figures, dataset=params.dataset, counts=train.spec.counts)
        write_text(folder / "README.md", text)
    write_json(METRICS, {name: _bounds(proof) for name, proof in proofs.items()})


def _bounds(proof: dict) -> dict:
    """Return the figures of a proof, differences as the next power of ten.

    What LiteRT computes differs from processor to processor by rounding, and so do they.
    """
    return {
        key: float(f"1e{math.ceil(math.log10(value))}")
        if isinstance(value, float) and value
        else value
        for key, value in proof.items()
    }


def told(name: str, proof: dict, size: int) -> str:
    """Return what the proof found, in a sentence."""
    return (
        f"{name}: {size:,} bytes; all {proof['pictures']:,} predictions as measured, probabilities "
        f"within {proof['largest_difference']:.1e}"
    )


if __name__ == "__main__":
    main()
