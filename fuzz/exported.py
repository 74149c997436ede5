"""Exported models with their cards, as others hand them on."""

from dataclasses import fields
from pathlib import Path

from lookbook.inference.card import FORMAT, MAGIC, Card, read_card, with_card

MODEL = b"\0\0\0\0" + MAGIC + bytes(40)
CARD = Card(
    format=FORMAT,
    name="train_cnn",
    title="CNN",
    is_picked=True,
    dataset="Pets",
    training_pictures=9,
    class_names=["cats", "dogs"],
    image_size=8,
    channels=1,
    resize="pad",
    weights="float32",
    temperature=2.0,
    coverage=0.95,
    least_probability=0.3,
    kept=0.99,
    most_strangeness=0.25,
    accuracy={"figure": 0.9},
    model_sha256="ab" * 32,
    data_sha256="cd" * 32,
    versions={},
    licences={},
)
SEEDS = [with_card(MODEL, CARD), MODEL, with_card(MODEL, CARD)[:-30]]


def read(content: bytes, folder: Path) -> None:
    """Read the card, of the bytes as they are and of a whole archive around them as a card."""
    path = folder / "model.tflite"
    path.write_bytes(content)
    card = read_card(path)
    assert all(hasattr(card, field.name) for field in fields(Card))
