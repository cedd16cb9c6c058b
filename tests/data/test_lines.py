"""Line art from paintings: where the lines are, what the bounds do, what chance may not change."""

from __future__ import annotations

import math
from typing import get_args

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sketch2paint.data.lines import STEP, STYLES, StyleName, check_lines, draw_lines, xdog_ramp

ALL = list(STYLES)
Bounds = tuple[float, float]


def paint(size: int = 256) -> np.ndarray:
    """Lay a red disc and, on it, a green square of about the same brightness on white."""
    painting = np.full((size, size, 3), 255, np.uint8)
    cv2.circle(painting, (size // 2, size // 2), size * 3 // 8, (215, 60, 60), -1, cv2.LINE_AA)
    low, high = size * 7 // 16, size * 9 // 16
    painting[low:high, low:high] = (60, 125, 60)
    return painting


def paint_scene(size: int = 512, shapes: int = 60) -> np.ndarray:
    """Scatter coloured discs, as many edges as a drawn figure has."""
    rng = np.random.default_rng(5)
    painting = np.full((size, size, 3), 255, np.uint8)
    for _ in range(shapes):
        centre = [int(c) for c in rng.integers(0, size, 2)]
        colour = [int(c) for c in rng.integers(20, 256, 3)]
        radius = int(rng.integers(size // 32, size // 8))
        cv2.circle(painting, centre, radius, colour, -1, cv2.LINE_AA)
    return painting


def draw(
    painting: np.ndarray,
    style: str,
    seed: int = 0,
    thickness: Bounds = (1.5, 1.5),
    threshold: Bounds = (0.1, 0.1),
    intensity: Bounds = (1.0, 1.0),
) -> np.ndarray:
    return draw_lines(
        painting,
        rng=np.random.default_rng(seed),
        styles=[style],
        thickness=thickness,
        threshold=threshold,
        intensity=intensity,
    )


def ink(sketch: np.ndarray) -> float:
    return float((255.0 - sketch).mean())


@pytest.mark.parametrize("style", ALL)
def test_lines_are_at_the_borders_and_nowhere_else(style: str) -> None:
    sketch = draw(paint(), style)
    assert sketch.shape == (256, 256) and sketch.dtype == np.uint8
    rows, columns = np.mgrid[:256, :256] - 128.0
    disc = np.abs(np.hypot(rows, columns) - 96)  # pixels from the circle
    square = np.abs(np.maximum(np.abs(rows + 0.5), np.abs(columns + 0.5)) - 16)
    far = np.minimum(disc, square) > 5
    assert (sketch[far] == 255).all()
    for border in (disc, square):  # the square's has no contrast in grey
        assert (sketch[border < 3] < 160).mean() > 0.1
        assert sketch[border < 3].min() < 100


@pytest.mark.parametrize("style", ALL)
def test_fills_stay_white(style: str) -> None:
    sketch = draw(paint(512), style, threshold=(0.05, 0.05))
    assert (sketch > 250).mean() > 0.9


@pytest.mark.parametrize("style", ALL)
def test_the_seed_alone_decides(style: str) -> None:
    bounds = {"thickness": (0.8, 3.0), "threshold": (0.05, 0.2), "intensity": (0.5, 1.0)}
    painting = paint(96)
    before = painting.copy()
    sketches = [draw(painting, style, seed, **bounds) for seed in (0, 0, 1, 2)]
    np.testing.assert_array_equal(sketches[0], sketches[1])
    assert (sketches[0] != sketches[2]).any() and (sketches[2] != sketches[3]).any()
    np.testing.assert_array_equal(painting, before)


def test_every_name_has_its_style() -> None:
    assert tuple(STYLES) == get_args(StyleName)


def test_every_style_named_is_drawn_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    for name in ALL:
        monkeypatch.setitem(STYLES, name, lambda *_, name=name, **__: drawn.append(name))
    for seed in range(50):
        rng = np.random.default_rng(seed)
        bounds = {"thickness": (1, 2), "threshold": (0.1, 0.1), "intensity": (1, 1)}
        draw_lines(paint(16), rng=rng, styles=["canny", "xdog", "canny"], **bounds)
    assert set(drawn) == {"canny", "xdog"}
    assert drawn.count("canny") > drawn.count("xdog")


@pytest.mark.parametrize("style", ALL)
def test_thickness_makes_thicker_lines(style: str) -> None:
    widths = [1.0, 4.0, 8.0]
    shares = [
        np.mean([ink(draw(paint(), style, seed, (w, w))) for seed in range(4)]) for w in widths
    ]
    assert shares[0] * 1.2 < shares[1] and shares[1] * 1.2 < shares[2]


@pytest.mark.parametrize("style", ALL)
def test_thickness_follows_the_size_of_the_picture(style: str) -> None:
    small, large = (
        np.mean([ink(draw(paint(size), style, seed, (4.0, 4.0))) for seed in range(8)])
        for size in (256, 512)
    )
    assert large == pytest.approx(small, rel=0.2)


def test_thickness_follows_the_shorter_side() -> None:
    wide = np.full((256, 1024, 3), 255, np.uint8)
    wide[:, 300:] = (40, 90, 160)
    row = draw(wide, "canny", thickness=(4.0, 4.0))[128]
    assert 2 <= (row < 128).sum() <= 5  # 12 or more if it followed the longer one


@pytest.mark.parametrize("style", ALL)
def test_intensity_makes_darker_lines(style: str) -> None:
    pale, half, black = (draw(paint(), style, intensity=(i, i)) for i in (0.3, 0.6, 1.0))
    assert pale.min() > half.min() > black.min()
    assert pale.min() >= 255 * 0.7 - 1
    assert ink(half) == pytest.approx(2 * ink(pale), rel=0.1)


@pytest.mark.parametrize("style", ALL)
def test_threshold_drops_weak_edges(style: str) -> None:
    painting = np.full((256, 256, 3), 230, np.uint8)
    painting[:, 128:] = 230 - 51  # contrast 0.2
    low, high = (draw(painting, style, 3, (2, 2), threshold=(t, t)) for t in (0.05, 0.9))
    assert low.min() < 235
    assert high.min() == 255


@pytest.mark.parametrize("style", ALL)
@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (7, 3, 0), (200, 30, 90)])
def test_an_even_picture_stays_white(style: str, colour: tuple[int, int, int]) -> None:
    painting = np.full((80, 60, 3), colour, np.uint8)
    assert (draw(painting, style, threshold=(0.01, 0.01)) == 255).all()


@pytest.mark.parametrize("style", ALL)
@pytest.mark.parametrize("colour", [(120, 100, 90), (12, 8, 20), (250, 250, 245)])
def test_noise_below_the_threshold_stays_white(style: str, colour: tuple[int, int, int]) -> None:
    grain = np.random.default_rng(0).integers(-2, 3, (128, 128, 3))
    painting = (np.array(colour) + grain).astype(np.uint8)
    assert (draw(painting, style) > 250).mean() > 0.99


@pytest.mark.parametrize("style", ALL)
@pytest.mark.parametrize("shape", [(16, 16), (17, 301), (301, 17), (1024, 16)])
@pytest.mark.parametrize("thickness", [0.1, 30.0])
def test_any_shape(style: str, shape: tuple[int, int], thickness: float) -> None:
    painting = np.full((*shape, 3), 255, np.uint8)
    painting[4:12, 4:12] = (40, 90, 160)
    sketch = draw(painting, style, thickness=(thickness, thickness))
    assert sketch.shape == shape and sketch.dtype == np.uint8
    assert sketch.min() < 200 and sketch.max() == 255


def test_a_slice_and_a_read_only_picture_are_taken() -> None:
    mirrored = paint(64)[:, ::-1]
    mirrored.flags.writeable = False
    for style in ALL:
        expected = draw(np.ascontiguousarray(mirrored), style)
        np.testing.assert_array_equal(draw(mirrored, style), expected)


@pytest.mark.parametrize("sigma, p, epsilon, phi", [(0.8, 20, 0.3, 4), (2.5, 99, 0.7, 1.5)])
def test_xdog_is_the_papers_formula(sigma: float, p: float, epsilon: float, phi: float) -> None:
    tone = cv2.blur(np.random.default_rng(1).random((90, 70)), (5, 5)).astype(np.float32)
    narrow, wide = (
        gaussian_filter(tone.astype(np.float64), s, mode="mirror", truncate=4)
        for s in (sigma, 1.6 * sigma)
    )
    sharp = narrow + p * (narrow - wide)  # the paper's other spelling of Eq. 7
    expected = np.where(sharp >= epsilon, 1, 1 + np.tanh(phi * (sharp - epsilon)))
    ramp = xdog_ramp(tone, sigma=sigma, p=p, epsilon=epsilon, phi=phi)
    assert 0.02 < (expected < 0.5).mean() < 0.98
    # Kernels are cut at about 4 sigma, here and there at another pixel: 1e-4 of the tone, times p.
    assert np.abs(ramp - expected).max() < 0.02
    assert np.abs(ramp - expected).mean() < 0.001


def test_xdog_takes_the_darkest_channel() -> None:
    tone = np.random.default_rng(2).random((40, 40, 3)).astype(np.float32)
    how = {"sigma": 1.0, "p": 20, "epsilon": 0.3, "phi": 4}
    each = [xdog_ramp(np.ascontiguousarray(tone[..., c]), **how) for c in range(3)]
    np.testing.assert_allclose(xdog_ramp(tone, **how), np.min(each, 0), atol=1e-5)


def test_step_is_the_depth_of_dog_on_a_step_edge() -> None:
    def normal_cdf(x: float) -> float:
        return 0.5 * (1 + math.erf(x / math.sqrt(2)))

    depth = max(normal_cdf(x / 1.6) - normal_cdf(x) for x in np.linspace(-4, 0, 4001))
    assert depth == pytest.approx(STEP, abs=1e-4)


def test_faint_is_thin_grey_and_broken() -> None:
    scene = paint_scene()
    sketches = [draw(scene, "faint", seed, (0.8, 2), (0.06, 0.2), (0.6, 1)) for seed in range(8)]
    # The Kaggle set has about 3 % of pixels darker than mid-grey, at 512.
    assert 0.01 < np.mean([(sketch < 128).mean() for sketch in sketches]) < 0.05
    assert min(sketch.min() for sketch in sketches) > 40  # grey, never black
    disc = draw(paint(512), "faint")
    angles = np.linspace(0, 2 * np.pi, 1200)
    outline = np.min(  # the darkest pixel within 3 of the circle, all around
        [disc[(256 + r * np.sin(angles)).round().astype(int),
              (256 + r * np.cos(angles)).round().astype(int)] for r in range(189, 196)], axis=0
    )  # fmt: skip
    assert 0.01 < (outline > 180).mean() < 0.4  # broken, but a line
    width = (disc[256, 50:80] < 200).sum()
    assert width <= 3


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("styles", [], "Expected `styles` to be a list of names out of .*xdog.*got \\[\\]. Pass"),
        ("styles", "xdog", "Expected `styles` to be a list .*got 'xdog'. Pass"),
        ("styles", ["xdog", "drawn"], "Expected `styles` .*got \\['xdog', 'drawn'\\]"),
        ("thickness", (0, 2), "Expected `thickness` .*0 < low <= high <= 256, got \\(0, 2\\)"),
        ("thickness", (3.0, 2.0), "Expected `thickness` .*got \\(3.0, 2.0\\). Pass"),
        ("thickness", 2.0, "Expected `thickness` to be two numbers.*got 2.0"),
        ("threshold", (0.1, 1.5), "Expected `threshold` .*high <= 1, got \\(0.1, 1.5\\)"),
        ("threshold", (0.1,), "Expected `threshold` to be two numbers.*got \\(0.1,\\)"),
        ("intensity", (float("nan"), 1.0), "Expected `intensity` .*got \\(nan, 1.0\\)"),
        ("intensity", ("a", "b"), "Expected `intensity` .*got \\('a', 'b'\\)"),
    ],
)
def test_settings_are_checked(name: str, value: object, message: str) -> None:
    good: dict[str, object] = {
        "styles": ALL,
        "thickness": (1, 2),
        "threshold": (0.1, 0.2),
        "intensity": (0.5, 1),
    }
    check_lines(**good)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        check_lines(**{**good, name: value})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        draw_lines(paint(32), rng=np.random.default_rng(0), **{**good, name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "painting, got",
    [
        (np.zeros((32, 32), np.uint8), r"got uint8 \(32, 32\)"),
        (np.zeros((32, 32, 4), np.uint8), r"got uint8 \(32, 32, 4\)"),
        (np.zeros((32, 32, 3), np.float32), r"got float32 \(32, 32, 3\)"),
        (np.zeros((15, 32, 3), np.uint8), r"at least 16 x 16 pixels, got uint8 \(15, 32, 3\)"),
    ],
)
def test_the_painting_is_checked(painting: np.ndarray, got: str) -> None:
    with pytest.raises(ValueError, match=f"Expected `painting` to be .*{got}. Pass"):
        draw(painting, "xdog")
