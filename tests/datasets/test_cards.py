import pytest
import yaml

from lookbook.datasets.cards import CARDS, load_card
from lookbook.foundation.errors import LookbookError


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("digits", 10),
        ("mnist", 10),
        ("fashion_mnist", 10),
        ("sign_language_mnist", 24),
        ("cats_vs_dogs", 2),
        ("tf_flowers", 5),
    ],
)
def test_the_projects_cards_are_complete(project, name, classes):
    card = load_card(name)
    assert len(card.classes) == classes
    assert card.licence
    if card.reader.kind == "csv":
        assert len(card.reader.labels) == classes


def test_published_sets_have_several_origins(project):
    for name in ("mnist", "fashion_mnist"):
        assert len(load_card(name).source.origins) >= 2


def test_an_unknown_data_set_lists_the_known_ones(set_params, run_main):
    from stages import download

    set_params(dataset="flowers")
    code, err = run_main(download.main)
    assert code == 2
    assert "to be one of cats_vs_dogs, cats_vs_dogs_sample, digits, fashion_mnist, flo" in err
    assert "Received: 'flowers'." in err


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("files", 0, "sha256"), None, "Expected mnist.files.0 to be a file with its size as"),
        (("files", 0, "sha256"), "12", "Expected mnist.files.0.sha256 to match pattern"),
        (("files", 0, "name"), "../x", "Expected mnist.files.0.name to match pattern"),
        (("classes",), ["a", "a"], "Expected mnist.classes to be a list of different names"),
        (
            ("source", "kind"),
            "ftp",
            "to be 'bundled', 'http', 'kaggle', 'local', 'mirror'. Received: ftp",
        ),
        (
            ("reader", "kind"),
            "parquet",
            "Expected mnist.reader.kind to be 'csv', 'digits', 'idx', 'images'. Received: parq",
        ),
    ],
)
def test_each_mistake_in_a_card_has_a_sentence(project, path, value, sentence):
    cards = yaml.safe_load(CARDS.read_text())
    *parents, key = path
    entry = cards["mnist"]
    for parent in parents:
        entry = entry[parent]
    if value is None:
        del entry[key]
    else:
        entry[key] = value
    CARDS.write_text(yaml.safe_dump(cards))
    with pytest.raises(LookbookError) as error:
        load_card("mnist")
    assert sentence in str(error.value)
    assert "data/datasets.yaml" in str(error.value)
    load_card("digits")  # the other cards are as good as before
