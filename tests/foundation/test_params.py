import pytest
import yaml

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.params import load_params

EPOCHS = "Expected train_ann.epochs to be auto or a whole number of 1 to 100,000. Received:"


def test_the_projects_own_file_is_valid(project):
    params = load_params()
    assert params.dataset == "digits"
    assert params.train_ann.hidden == [512, 256]


def test_numbers_given_as_text_are_understood(set_params):
    set_params(**{"train_ann.learning_rate": "1e-6", "train_cnn.epochs": "7"})
    params = load_params()
    assert params.train_ann.learning_rate == 1e-6
    assert params.train_cnn.epochs == 7


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("train_ann.batch_size", "many", "Expected train_ann.batch_size to be a valid integer"),
        ("train_ann.batch_size", True, "Expected train_ann.batch_size to be a number. Rec"),
        ("train_ann.batch_size", 2.5, "Expected train_ann.batch_size to be a valid integer"),
        ("train_ann.batch_size", 0, "to be greater than or equal to 1. Received: 0."),
        ("train_ann.epochs", "many", f"{EPOCHS} 'many'."),
        ("train_ann.epochs", True, f"{EPOCHS} True."),
        ("train_ann.epochs", 0, f"{EPOCHS} 0."),
        ("train_ann.epochs", [5], f"{EPOCHS} [5]."),
        ("preprocess.image_size", 2.5, "image_size to be auto or a whole number of 1 to 4,096. R"),
        ("preprocess.max_unreadable", 1, "auto or a share of at least 0 and less than 1. Rec"),
        ("train_cnn.augmentation.flip", "yes", "flip to be auto or true or false. Received: 'yes'"),
        (
            "train_transfer.width",
            0,
            "width to be auto or a number above 0, at most 4. Received: 0.",
        ),
        ("train_transfer.fine_tune.blocks", -1, "auto or a whole number of 0 to 1,000. Rec"),
        ("train_ann.class_weights", "even", "to be 'auto', 'none' or 'balanced'. Received: 'even'"),
        ("train_ann.learning_rate", float("nan"), "Expected train_ann.learning_rate to be"),
        ("train_ann.hidden", 128, "Expected train_ann.hidden to be a valid list. Received: 128."),
        ("train_ann.hidden", [128, 0], "Expected train_ann.hidden.1 to be greater than or equal"),
        ("train_cnn.dropout", 1.0, "Expected train_cnn.dropout to be less than 1. Received: 1.0."),
        ("train_cnn.optimizer", "adan", "to be 'sgd', 'rmsprop', 'adam' or 'muon'. Received"),
        ("train_cnn.augmentation.zoom", -1, "Expected train_cnn.augmentation.zoom to be greater"),
        ("baseline.loss", "hinge", "to be 'log_loss' or 'modified_huber'. Received: 'hinge'."),
        (
            "preprocess.test_size",
            0.8,
            "preprocess.test_size to add up to less than 1. Received: 0.2",
        ),
        ("baseline.alpha", 1e-300, "Expected baseline.alpha to be greater than or equal to 0.00"),
        ("baseline.alpha", 1e300, "Expected baseline.alpha to be less than or equal to 1000. Rec"),
        ("train_ann.hidden", [10**15], "train_ann.hidden.0 to be less than or equal to 16384. R"),
        ("train_ann.hidden", [8] * 99, "train_ann.hidden to have at most 50 items"),
        ("train_cnn.kernel_size", 10**6, "train_cnn.kernel_size to be less than or equal to 99. R"),
        ("preprocess.image_size", 5001, "auto or a whole number of 1 to 4,096. Received: 5001."),
        ("train_cnn.image_size", 5001, "train_cnn.image_size to be less than or equal to 4096. R"),
        ("train_ann.learning_rate", 1e300, "learning_rate to be less than or equal to 100. Rec"),
        ("train_ann.epochs", 1e30, f"{EPOCHS} 1e+30."),
        ("train_ann.batch_size", 10**9, "batch_size to be less than or equal to 65536. Received"),
        ("dataset", 123, "Expected dataset to be a valid string. Received: 123."),
        ("dataset", None, "Expected dataset to be a valid string. Received: None."),
        ("train_ann.epochz", 5, "Received: train_ann.epochz, which is unknown. Change it in"),
        (
            "train_ann.blocks",
            [[8]],
            "train_ann.blocks, which is unknown (blocks is a parameter of",
        ),
        ("train_rnn", {}, "Received: train_rnn, which is unknown."),
    ],
)
def test_each_mistake_has_a_sentence(set_params, run_main, name, value, sentence):
    from stages import download

    set_params(**{name: value})
    code, err = run_main(download.main)
    assert code == 2
    assert sentence in err
    assert "params.yaml" in err
    assert len(err.strip().splitlines()) == 1


def test_every_parameter_must_be_given(project):
    params = yaml.safe_load((project / "params.yaml").read_text())
    del params["train_ann"]["epochs"]
    (project / "params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(LookbookError, match="a value for train_ann.epochs. Received: nothing"):
        load_params()


@pytest.mark.parametrize(("content", "received"), [("a: [", "Received: while"), ("- a", "list")])
def test_a_file_that_is_not_a_mapping_has_a_sentence(project, content, received):
    (project / "params.yaml").write_text(content)
    with pytest.raises(LookbookError, match=received):
        load_params()


def test_a_missing_file_has_a_sentence(project):
    (project / "params.yaml").unlink()
    with pytest.raises(LookbookError, match="Expected the file params.yaml in the current folder"):
        load_params()
