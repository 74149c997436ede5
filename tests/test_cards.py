import pytest
import yaml

from lookbook.cards import CARDS, load_card
from lookbook.errors import LookbookError


@pytest.mark.parametrize("name", ["digits", "mnist", "fashion_mnist"])
def test_the_projects_cards_are_complete(project, name):
    card = load_card(name)
    assert len(card.classes) == 10
    assert card.licence


def test_published_sets_have_several_origins(project):
    for name in ("mnist", "fashion_mnist"):
        assert len(load_card(name).source.origins) >= 2


def test_an_unknown_data_set_lists_the_known_ones(set_params, run_main):
    from stages import download

    set_params(dataset="flowers")
    code, err = run_main(download.main)
    assert code == 1
    assert "to be one of digits, fashion_mnist, mnist. Received: 'flowers'." in err


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("files", 0, "sha256"), None, "a value for mnist.files.0.sha256. Received: nothing"),
        (("files", 0, "sha256"), "12", "Expected mnist.files.0.sha256 to match pattern"),
        (("files", 0, "name"), "../x", "Expected mnist.files.0.name to match pattern"),
        (("classes",), ["a", "a"], "Expected mnist.classes to be a list of different names"),
        (
            ("source", "kind"),
            "ftp",
            "Expected mnist.source.kind to be 'bundled', 'http'. Received: ftp",
        ),
        (
            ("reader", "kind"),
            "parquet",
            "Expected mnist.reader.kind to be 'digits', 'idx'. Received: parq",
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
