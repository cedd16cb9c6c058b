"""Figures of merit against closed forms and scikit-image."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from tiny_evaluation import RED, flat, noisy

from sketch2paint.evaluation.metrics import (
    ciede2000,
    colour_difference,
    colour_ratio,
    colourfulness,
    edge_agreement,
    ms_ssim,
    psnr,
    ssim,
)

BLUE, WHITE = (30, 30, 200), (255, 255, 255)


@pytest.mark.parametrize("seed", range(3))
def test_psnr_and_ssim_agree_with_scikit_image(seed: int) -> None:
    fake, real = noisy(seed)
    assert psnr(fake, real) == pytest.approx(peak_signal_noise_ratio(real, fake), abs=1e-9)
    expected = structural_similarity(
        real, fake, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        data_range=255, channel_axis=2,
    )  # fmt: skip
    assert ssim(fake, real) == pytest.approx(expected, abs=1e-4)
    assert 0.1 < expected < 0.95


def test_psnr_has_a_ceiling() -> None:
    assert psnr(flat(0), flat(255)) == 0
    assert psnr(flat(RED), flat(RED)) == 60
    one = flat(RED)
    one[0, 0, 0] += 1
    assert psnr(one, flat(RED)) == 60


def test_small_pictures_have_no_ssim() -> None:
    for side in (1, 10):
        assert math.isnan(ssim(flat(RED, side), flat(RED, side)))
    assert ssim(flat(RED, 11), flat(RED, 11)) == pytest.approx(1, abs=1e-4)
    assert math.isnan(ms_ssim(flat(RED, 175), flat(RED, 175)))
    assert ms_ssim(flat(RED, 176), flat(RED, 176)) == pytest.approx(1, abs=1e-4)
    fake, real = noisy(0, 176)
    assert ssim(fake, real) < ms_ssim(fake, real) < 1  # coarser scales see less noise


def test_ciede2000_agrees_with_scikit_image() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.uniform([0, -100, -100], [100, 100, 100], (2, 20000, 3))
    one[:100, 1:] = 0  # greys have no hue
    other[50:150, 1:] = 0
    other[150:200] = one[150:200]
    expected = deltaE_ciede2000(one, other)
    np.testing.assert_allclose(ciede2000(one, other), expected, atol=1e-9)
    assert (ciede2000(one, other)[150:200] == 0).all() and expected.max() > 80


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # of the table in Sharma, Wu and Dalal: hue discontinuities, and near neighbours
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_ciede2000_of_published_pairs(one: object, other: object, expected: float) -> None:
    assert ciede2000(np.array(one), np.array(other)) == pytest.approx(expected, abs=5e-5)


def test_white_paper_does_not_flatter_the_colour_difference() -> None:
    real = flat(WHITE)
    real[:4] = RED
    fake = real.copy()
    fake[:4] = BLUE
    expected = deltaE_ciede2000(rgb2lab(flat(RED, 1)), rgb2lab(flat(BLUE, 1)))[0, 0]
    assert colour_difference(fake, real) == pytest.approx(expected, abs=0.02)
    fake[4:] = BLUE  # what is painted on the paper is not asked
    assert colour_difference(fake, real) == pytest.approx(expected, abs=0.02)
    assert math.isnan(colour_difference(flat(RED), flat(WHITE)))
    where = np.zeros(real.shape[:2], bool)
    assert math.isnan(colour_difference(fake, real, where))
    fake[0], where[:1] = RED, True
    assert colour_difference(fake, real, where) == pytest.approx(0, abs=1e-6)
    assert math.isnan(colour_difference(flat(RED), flat(128)))


def test_colourfulness_is_hasler_and_suesstrunk_s() -> None:
    assert colourfulness(flat(128)) == 0
    red_green, yellow_blue = 200 - 30, (200 + 30) / 2 - 30
    assert colourfulness(flat(RED)) == pytest.approx(0.3 * math.hypot(red_green, yellow_blue))
    half = flat(128)
    half[:16] = RED  # the mean halves, the standard deviation is as much
    expected = (1 + 0.3) / 2 * math.hypot(red_green, yellow_blue)
    assert colourfulness(half) == pytest.approx(expected)


def test_colour_ratio_needs_a_colourful_real_picture() -> None:
    assert colour_ratio(flat(128), flat(RED)) == 0
    assert colour_ratio(flat(RED), flat(RED)) == 1
    assert colour_ratio(flat((128, 79, 79)), flat((255, 157, 157))) == pytest.approx(0.5)
    assert math.isnan(colour_ratio(flat(RED), flat((128, 126, 126))))


def test_edges_agree_where_lines_are() -> None:
    sketch = np.full((64, 64), 255, np.uint8)
    sketch[20:40, 30:33] = 0
    same = np.repeat(sketch[..., None], 3, axis=2)
    assert edge_agreement(same, sketch) == pytest.approx(1)
    assert edge_agreement(255 - same // 2, sketch) == pytest.approx(1)  # magnitudes, no signs
    far = same.copy()
    far[:, 50:] = RED  # away from the line nothing counts
    assert edge_agreement(far, sketch) == pytest.approx(1)
    shifted = np.roll(same, 4, axis=1)
    assert edge_agreement(shifted, sketch) < 0.2
    assert edge_agreement(flat(RED, 64), sketch) == 0
    assert math.isnan(edge_agreement(same, np.full((64, 64), 255, np.uint8)))
