import numpy as np
import pytest

from lookbook.commands.learning_rate import FOLDER
from lookbook.training.learning_rate import range_test, steepest


@pytest.mark.parametrize("section", ["train_ann", "train_cnn"])
def test_the_range_test_leaves_a_picture_and_a_rate(
    processed, set_params, lookbook, monkeypatch, section
):
    set_params(**{"train_cnn.blocks": [[4], [8]], "train_ann.hidden": [32]})
    monkeypatch.setattr("lookbook.training.learning_rate.STEPS", 60)
    code, out, err = lookbook("learning_rate", section)
    assert code == 0, err
    assert (FOLDER / f"{section}.png").stat().st_size > 5000
    assert "the loss falls fastest at" in out


@pytest.mark.parametrize("given", [[], ["train_rnn"], ["train_ann", "train_cnn"]])
def test_another_section_is_refused(lookbook, given):
    code, _, err = lookbook("learning_rate", *given)
    assert code == 2
    assert err.startswith("error: Expected the arguments that `lookbook learning_rate -h` lists.")


class Parabola:
    """A model whose loss after each step at a rate is known: descent on x squared."""

    class optimizer:  # noqa: N801
        learning_rate = 0.0

    x = 1.0

    def reset_metrics(self):
        pass

    def train_on_batch(self, return_dict):
        self.x -= self.optimizer.learning_rate * 40 * self.x
        return {"loss": self.x**2}


def test_the_test_ends_where_the_loss_breaks():
    rates, losses = range_test(Parabola(), [()] * 1000)
    assert len(rates) == len(losses)
    assert rates[-1] < 1  # steps of over 0.05 grow without end
    assert 1e-4 < steepest(rates, losses) < 0.05
    assert np.all(losses <= 4 * np.minimum.accumulate(losses))


def test_noise_in_the_first_steps_is_no_fall():
    rates = np.geomspace(1e-6, 1, 200)
    losses = 3 - 2 / (1 + (3e-4 / rates) ** 1.5)
    losses[:3] += [0.2, 0.1, -0.1]
    assert 1e-4 < steepest(rates, losses) < 1e-3
    assert steepest(rates[:1], losses[:1]) == rates[0]
