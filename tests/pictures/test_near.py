"""Near duplicates: the same pairs as by comparing all of each."""

import numpy as np
import pytest
from support import picture

from lookbook.pictures import near as module
from lookbook.pictures.batch import process
from lookbook.pictures.decoding import Form
from lookbook.pictures.likeness import GRID, brightness_steps, cosine, unit_vectors
from lookbook.pictures.near import Shortened, near_components, near_pairs, nearest, principal_axes

RNG = np.random.default_rng(0)
STRANGERS = RNG.integers(0, 256, (40, GRID, GRID), dtype=np.uint8)


def near(grid, seed):
    """A likeness whose similarity to `grid` is above 0.99, but not 1."""
    noise = np.random.default_rng(seed).integers(-4, 5, grid.shape)
    return np.clip(grid.astype(int) + noise, 0, 255).astype(np.uint8)


def partition(components):
    """The sets of rows that share a number."""
    groups = {}
    for row, number in enumerate(components.tolist()):
        groups.setdefault(number, set()).add(row)
    return sorted(groups.values(), key=min)


def test_strangers_are_alone():
    assert partition(near_components(STRANGERS)) == [{row} for row in range(40)]


def test_one_picture_is_alone_too():
    assert partition(near_components(STRANGERS[:1])) == [{0}]


def test_near_duplicates_and_copies_share_a_number():
    copies = [near(STRANGERS[3], 1), STRANGERS[7], near(STRANGERS[3], 2)]
    groups = {row: {row} for row in range(40)} | {3: {3, 40, 42}, 7: {7, 41}}
    found = partition(near_components(np.concatenate([STRANGERS, copies])))
    assert found == list(groups.values())


def test_near_duplicates_of_near_duplicates_share_it_too():
    ends = STRANGERS[:2].astype(float)
    steps = [((1 - t) * ends[0] + t * ends[1]).astype(np.uint8) for t in np.linspace(0, 1, 12)]
    sides = brightness_steps(np.array(steps))
    assert cosine(sides[:1], sides[-1:])[0] < 0.5
    assert cosine(sides[:-1], sides[1:]).min() > 0.98
    assert partition(near_components(np.array(steps))) == [set(range(12))]


def test_the_threshold_decides():
    pair = np.array([STRANGERS[0], near(STRANGERS[0], 1)])
    sides = brightness_steps(pair)
    similarity = cosine(sides[:1], sides[1:])[0]
    assert partition(near_components(pair, threshold=similarity)) == [{0, 1}]
    assert partition(near_components(pair, threshold=similarity + 1e-9)) == [{0}, {1}]


def test_known_pictures_are_not_compared_with_each_other(monkeypatch):
    monkeypatch.setattr(module, "BLOCK_ROWS", 4)  # they are skipped block by block
    known = np.concatenate([STRANGERS[:11], [near(STRANGERS[0], 1)]])
    new = np.concatenate([STRANGERS[20:26], [near(STRANGERS[5], 2), near(STRANGERS[21], 3)]])
    components = near_components(np.concatenate([known, new]), known=len(known))
    assert {5, 18} in partition(components)
    assert {13, 19} in partition(components)
    assert partition(near_components(np.concatenate([known, new])))[0] == {0, 11}


@pytest.mark.parametrize("rows", [1, 3, 7, 40, 2048])
def test_blocks_change_nothing(monkeypatch, rows):
    grids = np.concatenate([STRANGERS, [near(grid, seed) for seed, grid in enumerate(STRANGERS)]])
    expected = [{row, row + 40} for row in range(40)]
    monkeypatch.setattr(module, "BLOCK_ROWS", rows)
    assert partition(near_components(grids)) == expected
    order = np.random.default_rng(1).permutation(80)
    found = partition(near_components(grids[order]))
    assert sorted(sorted(order[list(group)].tolist()) for group in found) == [
        sorted(group) for group in expected
    ]


def test_blank_pictures_are_like_no_other():
    blank = np.full((1, GRID, GRID), 200, np.uint8)
    darker = np.full((1, GRID, GRID), 10, np.uint8)
    grids = np.concatenate([STRANGERS[:2], blank, darker])
    assert partition(near_components(grids)) == [{0}, {1}, {2}, {3}]


@pytest.mark.parametrize(
    "copy",
    [
        {"side": 40},
        {"side": 16},
        {"kind": "JPEG", "quality": 80},
        {"kind": "WEBP", "quality": 80},
        {"kind": "AVIF"},
    ],
)
def test_copies_of_a_picture_file_are_found(copy):
    files = [picture(seed) for seed in range(10)] + [picture(4, **copy)]
    grids = process(files, Form(32, 3, "stretch")).grids
    assert {4, 10} in partition(near_components(grids, threshold=0.97))
    assert len(partition(near_components(grids, threshold=0.97))) == 10


def smooth(seed, count):
    """Likenesses of eight coarse pictures, with more or less noise: about half of each are near."""
    rng = np.random.default_rng(seed)
    coarse = np.random.default_rng(99).integers(40, 216, (8, 4, 4))[rng.integers(0, 8, count)]
    noise = rng.normal(size=(count, GRID, GRID)) * rng.uniform(0, 8, (count, 1, 1))
    fine = np.kron(coarse, np.ones((GRID // 4, GRID // 4))) + noise
    return np.clip(fine, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("dense", [0, 1])
@pytest.mark.parametrize("threshold", [0.9, 0.98])
def test_no_near_pair_is_ruled_out(monkeypatch, dense, threshold):
    monkeypatch.setattr(module, "DENSE", dense)
    one, other = smooth(0, 300), smooth(10, 500)
    vectors = [unit_vectors(brightness_steps(grids)) for grids in (one, other)]
    cosines = vectors[0] @ vectors[1].T
    rows, others = np.arange(300), np.arange(500)
    axes = principal_axes(one, rows)
    blocks = (
        (Shortened(one, rows, axes), slice(0, 300)),
        (Shortened(other, others, axes), slice(0, 500)),
    )
    pairs = near_pairs(*blocks[0], *blocks[1], threshold)
    found = np.zeros(cosines.shape, bool)
    found[pairs.query, pairs.base] = True
    assert 50 < (cosines >= threshold).sum() < found.size / 2
    assert found[cosines >= threshold].all()
    assert cosines[found].min() >= threshold - 2 * module.ROUNDING
    np.testing.assert_allclose(pairs.similarity, cosines[pairs.query, pairs.base], atol=1e-6)


def test_bounds_rule_most_pairs_out_and_never_a_near_one():
    grids = smooth(0, 300)
    vectors = unit_vectors(brightness_steps(grids))
    rows = np.arange(300)
    short = Shortened(grids, rows, principal_axes(grids, rows)).short
    cosines, bounds = vectors @ vectors.T, short @ short.T
    assert (bounds >= cosines - 1e-6).all()
    assert (bounds < 0.98).mean() > 0.5


@pytest.mark.parametrize("rows", [1, 3, 1024])
def test_the_nearest_is_the_same_whatever_the_blocks(monkeypatch, rows):
    query, base = smooth(0, 60), smooth(10, 80)
    sides = [brightness_steps(grids) for grids in (query, base)]
    exact = np.array([cosine(np.repeat(row[None], 80, 0), sides[1]) for row in sides[0]])
    expected = np.where(exact.max(1) >= 0.98, exact.argmax(1), -1)
    monkeypatch.setattr(module, "BLOCK_ROWS", rows)
    similarity, found = nearest(query, base)
    assert found.tolist() == expected.tolist()
    assert similarity.tolist() == np.where(expected >= 0, exact.max(1), 0).tolist()
    assert 5 < (found >= 0).sum() < 55
