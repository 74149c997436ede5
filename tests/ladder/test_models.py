from pathlib import Path

import numpy as np
from untrained import softmax_regression

from lookbook.ladder.models import load_model
from lookbook.networks.saving import save_keras
from lookbook.splits.split import Split


def test_a_network_is_built_once_for_any_number_of_pictures(processed):
    path = Path("models/train_ann.keras")
    save_keras(softmax_regression(Split("train").spec), path)
    model = load_model(path)
    pixels = Split("test").images(np.arange(5))
    _, said = model.look(pixels)
    _, fewer = model.look(pixels[:3])
    np.testing.assert_allclose(fewer, said[:3], rtol=1e-6)
    assert model._looking.experimental_get_tracing_count() == 1
