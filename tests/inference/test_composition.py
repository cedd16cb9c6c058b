"""The drawing's lines over predicted colours, at full size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from tiny_painter import REAL, draw_shapes, needs_real

from sketch2paint.evaluation.metrics import edge_agreement, psnr
from sketch2paint.images.convert import resize, rgb_to_grey
from sketch2paint.images.io import read_rgb
from sketch2paint.inference.composition import compose


def gains(pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """PSNR of kept lines and of plain cubic resizing, and the edge correlation of both, means."""
    figures = []
    for real, sketch in pairs:
        small = resize(real, *(n // 4 for n in sketch.shape))
        plain = resize(small, *sketch.shape)
        kept = compose(small, sketch)[2]
        correlations = [edge_agreement(picture, sketch) for picture in (kept, plain)]
        figures.append([psnr(kept, real), psnr(plain, real), *correlations])
    return np.mean(figures, axis=0)


def test_true_colours_come_back_at_four_times_the_size() -> None:
    kept, plain, correlation, plain_correlation = gains([draw_shapes(seed) for seed in range(6)])
    assert kept > plain + 10
    assert correlation > 0.95 > 0.8 > plain_correlation


@pytest.mark.slow
@needs_real
@pytest.mark.parametrize("name", ["openmoji", "mulberry"])
def test_real_pairs_come_back_at_four_times_the_size(name: str) -> None:
    pairs = []
    for path in sorted((REAL / name / "val").glob("*.png")):
        pair = read_rgb(path)
        half = pair.shape[1] // 2
        pairs.append((pair[:, :half], rgb_to_grey(pair[:, half:])))
    pairs = [pair for pair in pairs if pair[1].min() < pair[1].max()]
    kept, plain, correlation, plain_correlation = gains(pairs)
    print(f"{name}: {kept:.2f} dB, {plain:.2f} plain; {correlation:.3f}, {plain_correlation:.3f}")
    assert kept > plain + 2
    assert correlation >= 0.95 > 0.8 > plain_correlation


def test_layers_multiply_to_the_picture() -> None:
    real, sketch = draw_shapes(0)
    colours, lines, picture = compose(resize(real, 60, 70), sketch)
    np.testing.assert_array_equal(lines, sketch)
    np.testing.assert_allclose(picture, colours * (lines[..., None] / 255), atol=0.51)
    assert colours.shape == picture.shape == (*sketch.shape, 3)
    assert colours.dtype == picture.dtype == np.uint8


@pytest.mark.parametrize("width", [3, 8, 30])
def test_colours_end_at_the_line_and_go_on_beneath_it(width: int) -> None:
    real = np.full((128, 128, 3), (250, 220, 30), np.uint8)
    real[:, 61:] = 40, 90, 200
    sketch = np.full((128, 128), 255, np.uint8)
    sketch[:, 61 - width // 2 : 61 - width // 2 + width] = 0
    small = resize(real * (sketch[..., None] > 0), 16, 16)
    colours, _, _ = compose(small, sketch)
    left, right = 61 - width // 2, 61 - width // 2 + width
    near = 20 if width == 3 else 4  # where one pixel of the network saw both sides
    np.testing.assert_allclose(colours[:, : left - 8], real[:, : left - 8], atol=2)
    np.testing.assert_allclose(colours[:, left - 3 : left], real[:, left - 3 : left], atol=near)
    np.testing.assert_allclose(colours[:, right + 8 :], real[:, right + 8 :], atol=2)
    assert colours[:, left:right].min() > 25  # no trace of black


def test_colours_without_lines_are_interpolated() -> None:
    fake = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    paper = np.full((32, 48), 255, np.uint8)
    expected = cv2.resize(fake, (48, 32), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(compose(fake, paper)[2], expected, atol=1)
    np.testing.assert_array_equal(compose(fake, paper[:16, :24])[2], fake)


def test_hue_of_a_grey_tone_is_kept() -> None:
    fake = np.full((16, 16, 3), (240, 120, 0), np.uint8)
    colours, _, _ = compose(fake, np.full((64, 64), 128, np.uint8))
    np.testing.assert_allclose(colours, np.broadcast_to([255, 127.5, 0], (64, 64, 3)), atol=1)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (3, 7), (130, 65), (20, 20)])
@pytest.mark.parametrize("fake", [(1, 1), (16, 16), (5, 40)])
def test_any_size(size: tuple[int, int], fake: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    sketch = rng.integers(0, 256, size, dtype=np.uint8)
    colours, _, picture = compose(np.full((*fake, 3), 200, np.uint8), sketch)
    assert picture.shape == (*size, 3)
    np.testing.assert_allclose(picture, colours * (sketch[..., None] / 255), atol=0.51)
    assert (compose(np.full((*fake, 3), 200, np.uint8), sketch * 0)[2] == 0).all()


def test_inputs_are_left_alone() -> None:
    real, sketch = draw_shapes(1, 64)
    before = real.copy(), sketch.copy()
    compose(real, sketch)
    np.testing.assert_array_equal(real, before[0])
    np.testing.assert_array_equal(sketch, before[1])


@pytest.mark.parametrize(
    ("fake", "sketch", "message"),
    [
        (
            np.zeros((4, 4), np.uint8),
            np.zeros((8, 8), np.uint8),
            r"Expected `fake` .* got \(4, 4\)",
        ),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((8, 8, 3), np.uint8), r"`sketch` to be \(H, W\)"),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((0, 8), np.uint8), "none of them empty"),
        (
            np.zeros((4, 4, 3), np.float32),
            np.zeros((8, 8), np.uint8),
            "uint8 pictures, got float32",
        ),
    ],
)
def test_wrong_input_is_described(fake: np.ndarray, sketch: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compose(fake, sketch)
