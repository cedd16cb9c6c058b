import re

import numpy as np
import pytest
from tiny_words import cells, make_region_network

from sketch2paint.hints.palette import Palette
from sketch2paint.images.convert import array_to_lab
from sketch2paint.models.answer import read, reply
from sketch2paint.models.styles import (
    CONDITIONAL,
    DIRECTIONS,
    STEP,
    leaning,
    steps_of,
    styled,
    wished,
)
from sketch2paint.models.variations import vary

RAMP = np.array([[255] * 3, *([level] * 3 for level in range(0, 256, 15))], np.uint8)
PALETTE = Palette(
    np.array([[230, 57, 70], [29, 53, 87], [120, 200, 90]], np.uint8), np.zeros(3, np.float32)
)
WALK = (-3, -2, -1, 0, 1, 2, 3)


def lightness_of(shares: np.ndarray, step: float) -> float:
    """L of a mid grey after a step of lightness, of a network that knows greys."""
    told = {"areas": np.ones(1), "steps": np.float32([0, step, 0, 0])}
    grey = np.full((1, 3), 120, np.uint8)
    return float(array_to_lab(styled(grey, shares=shares, named=RAMP, **told)[None])[0, 0, 0])


def test_the_mean_grows_with_the_step_the_more_so_where_much_is_likely() -> None:
    even, sure = np.full((1, len(RAMP)), 1 / len(RAMP)), np.zeros((1, len(RAMP)))
    sure[0, 9] = 1  # of level 120
    walks = [[lightness_of(shares, step) for step in WALK] for shares in (even, sure)]
    assert (np.diff(walks[0]) > 0).all() and (np.diff(walks[1]) >= 0).all()
    assert np.ptp(walks[0]) > 20 and np.ptp(walks[0]) > 3 * np.ptp(walks[1])
    assert walks[0][3] == walks[1][3] == lightness_of(even, 0)


def test_what_each_direction_wishes() -> None:
    lab = np.float32([[30, 20, 0], [70, 0, 40], [50, 0, 0]])
    plain = np.linalg.inv(CONDITIONAL)  # steps of the wishes themselves
    warm, light, vivid, contrast = (wished(lab, row, 50) for row in plain.astype(np.float32))
    along = [np.cos(np.radians(50)), np.sin(np.radians(50))]
    np.testing.assert_allclose((warm - lab)[:, 1:] @ along, STEP[0], rtol=1e-4)
    np.testing.assert_allclose(light - lab, [[STEP[1], 0, 0]] * 3, atol=1e-3)
    chroma = np.hypot(*vivid[:, 1:].T)
    np.testing.assert_allclose(chroma, [20 + STEP[2], 40 + STEP[2], 0], atol=1e-3)
    np.testing.assert_allclose(contrast[:, 0], [50 - 20 * 1.33, 50 + 20 * 1.33, 50], atol=1e-3)
    back = wished(lab, -3.5 * plain[3].astype(np.float32), 50)
    np.testing.assert_allclose(back[:, 0], 50, atol=1e-3)  # and no further


@pytest.mark.parametrize("name", DIRECTIONS)
def test_white_stays_and_nothing_becomes_white(name: str) -> None:
    rng = np.random.default_rng(0)
    near = [[255] * 3, [254] * 3, [255, 255, 254]]
    colours = np.concatenate([rng.integers(0, 256, (40, 3)), near])
    named = np.concatenate([[[255] * 3], rng.integers(0, 256, (30, 3)), [[254, 255, 255]]])
    told = {"named": named.astype(np.uint8), "areas": rng.uniform(1, 9, 43)}
    shares = rng.dirichlet(np.full(32, 0.1), 43)
    for step in (-3, 0.5, 3):
        steps = steps_of({name: step})
        after = styled(colours.astype(np.uint8), shares=shares, steps=steps, **told)
        assert ((after == 255).all(1) == (colours == 255).all(1)).all()


def test_no_step_changes_no_bit_and_a_step_no_hint_and_no_paper() -> None:
    network, known = make_region_network(), {5: (13, 200, 77), 6: (255, 255, 255)}
    network.logits.weight.data *= 0.1
    reading = read(network, *cells(4, 12))
    plain = reply(network, reading=reading, known=known)
    for style in (None, {}, {"warmth": 0, "contrast": 0.0}):
        np.testing.assert_array_equal(
            reply(network, reading=reading, known=known, style=style), plain
        )
    warm = reply(network, reading=reading, known=known, style={"warmth": 3})
    assert (warm != plain).any(1).sum() > 8
    for number, colour in known.items():
        assert tuple(warm[number]) == colour
    network.logits.bias.data[0] = 50
    paper = reply(network, reading=reading, known=known, style={"lightness": -3})
    assert (np.delete(paper, 5, 0) == 255).all()


def test_with_a_palette_it_decides_what_goes_where() -> None:
    network = make_region_network(palettes=True)
    network.logits.bias.data[0] = -9
    for layer in (network.logits, network.key):
        layer.weight.data *= 0.05
    reading = read(network, *cells(4, 12))
    told = {"reading": reading, "known": {5: (13, 200, 77)}, "palette": PALETTE, "one_object": 1.0}
    allowed = {*map(tuple, PALETTE.colours.tolist()), (13, 200, 77)}
    means = []
    for step in (-3, 0, 3):
        table = reply(network, style={"lightness": step}, **told)
        assert {*map(tuple, table.tolist())} <= allowed and tuple(table[5]) == (13, 200, 77)
        means.append(array_to_lab(table[None])[0, :, 0].mean())
    assert means[0] < means[1] < means[2]
    both = reply(network, style={"warmth": 3}, strict=False, **told)
    assert (both != reply(network, strict=False, **told)).any()


def test_leaning_leaves_paper_and_makes_none() -> None:
    colours = np.array([[255] * 3, [20] * 3, [235] * 3], np.uint8)
    shares = np.array([[0.6, 0.3, 0.1], [0.4, 0.5, 0.1]])
    told = {"colours": colours, "areas": np.ones(2), "steps": steps_of({"lightness": 3})}
    after = leaning(shares, chosen=np.array([0, 1]), **told)
    np.testing.assert_array_equal(after[0], shares[0])
    assert after[1, 0] == 0 and after[1, 2] / after[1, 1] > 2 * 0.2


@pytest.mark.parametrize("palette", [None, PALETTE])
def test_all_variations_are_in_the_style(palette: Palette | None) -> None:
    network = make_region_network(palettes=True)
    network.logits.bias.data[0] = -9
    network.logits.weight.data *= 0.05
    reading = read(network, *cells(4, 12))
    told = {"reading": reading, "known": {5: (13, 200, 77)}, "palette": palette, "count": 4}
    light, dark = (
        np.stack(vary(network, seed=0, style={"lightness": step}, **told)) for step in (3, -3)
    )
    assert (light[:, 5] == (13, 200, 77)).all()
    means = [array_to_lab(tables)[..., 0].mean() for tables in (light, dark)]
    assert means[0] > means[1]
    if palette:
        allowed = {*map(tuple, palette.colours.tolist()), (13, 200, 77)}
        assert {*map(tuple, light.reshape(-1, 3).tolist())} <= allowed


@pytest.mark.parametrize(
    ("style", "message"),
    [
        ("warm", "to be steps by the names of directions, got 'warm'. Pass {'warmth': 1}, or None"),
        ({"hue": 1}, "that the model knows (warmth, lightness, vividness, contrast), got 'hue'."),
        ({"warmth": 4}, "a step of `style` to be a number from -3 to 3, got warmth: 4. Pass 1"),
        ({"warmth": "much"}, "to be a number from -3 to 3, got warmth: 'much'"),
        ({"contrast": True}, "to be a number from -3 to 3, got contrast: True"),
        ({"contrast": float("nan")}, "to be a number from -3 to 3, got contrast: nan"),
    ],
)
def test_what_is_no_style(style: object, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        steps_of(style)
