"""Figures of merit against closed forms and scikit-image."""

from __future__ import annotations

import math
import socket
import sys

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from tiny_evaluation import Moments, absolute
from torch import nn

import sketch2paint.evaluation.metrics as metrics
from sketch2paint.evaluation.metrics import (
    Learned,
    ciede2000,
    colour_difference,
    colour_ratio,
    colourfulness,
    edge_agreement,
    ms_ssim,
    psnr,
    set_distances,
    ssim,
)

RED, BLUE, WHITE = (200, 30, 30), (30, 30, 200), (255, 255, 255)


def flat(colour: object, side: int = 32) -> np.ndarray:
    return np.full((side, side, 3), colour, np.uint8)


def noisy(seed: int, side: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """Smooth colours and the same with noise."""
    rng = np.random.default_rng(seed)
    small = torch.from_numpy(rng.uniform(20, 230, (1, 3, 6, 6)))
    smooth = nn.functional.interpolate(small, (side, side), mode="bicubic")[0].permute(1, 2, 0)
    real = smooth.numpy().clip(0, 255).astype(np.uint8)
    return (real + rng.normal(0, 20, real.shape)).clip(0, 255).astype(np.uint8), real


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
    assert math.isnan(colour_difference(flat(RED), flat(128)))


def test_colourfulness_is_hasler_and_suesstrunk_s() -> None:
    assert colourfulness(flat(128)) == 0
    red_green, yellow_blue = 200 - 30, (200 + 30) / 2 - 30
    assert colourfulness(flat(RED)) == pytest.approx(0.3 * math.hypot(red_green, yellow_blue))
    half = flat(128)
    half[:16] = RED  # the mean halves, the standard deviation is as much
    expected = (1 + 0.3) / 2 * math.hypot(red_green, yellow_blue)
    assert colourfulness(half) == pytest.approx(expected)


def test_colour_ratio_needs_a_colourful_truth() -> None:
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


def test_learned_networks_are_given_what_they_expect() -> None:
    judges = Learned(absolute, Moments())
    assert judges.distance(flat(255), flat(0)) == 1
    assert judges.features(flat(RED)).tolist() == [[*RED, 0, 0, 0]]
    without = Learned("none", "none")
    assert math.isnan(without.distance(flat(255), flat(0)))
    assert without.features(flat(RED)) is None


def test_lpips_without_its_weights_takes_the_same_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    import torchvision

    make = torchvision.models.alexnet
    monkeypatch.setattr(torchvision.models, "alexnet", lambda weights: make(weights=None))
    with torch.random.fork_rng():
        judges = Learned(metrics._loaded(metrics._lpips), "")
    fake, real = noisy(0, 32)
    assert judges.distance(real, real) == 0 < judges.distance(fake, real)
    assert math.isnan(judges.distance(fake[:31], real[:31]))


def test_set_distances_have_their_closed_forms() -> None:
    real = torch.from_numpy(np.random.default_rng(0).normal(size=(300, 4)))
    assert set_distances(real, real, 0)[0] == pytest.approx(0, abs=1e-6)
    shifted, _ = set_distances(real + torch.tensor([3.0, 4, 0, 0]), real, 0)
    assert shifted == pytest.approx(25, rel=1e-5)  # the same covariance, the means 5 apart
    fake = real * 2
    k = [((a @ b.T / 4) + 1) ** 3 for a, b in ((real, real), (fake, fake), (real, fake))]
    inside = sum((m.sum() - m.trace()) / (300 * 299) for m in k[:2])
    assert set_distances(fake, real, 0)[1] == pytest.approx(float(inside - 2 * k[2].mean()))
    assert all(math.isnan(value) for value in set_distances(real[:1], real[:1], 0))


def test_subsets_of_kid_depend_on_the_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "SUBSET", 20)
    real, fake = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 50, 3)))
    state = torch.random.get_rng_state()
    first = set_distances(fake, real, 1)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(1)
    assert set_distances(fake, real, 1) == first != set_distances(fake, real, 2)


def test_missing_networks_are_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        assert socket.getdefaulttimeout() == metrics.WAIT
        raise OSError("host unreachable")

    before = socket.getdefaulttimeout()
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    monkeypatch.setattr(metrics, "_lpips", refuse)
    found = Learned.load()
    assert "could not be fetched (host unreachable)" in str(found.lpips)
    assert isinstance(found.inception, nn.Module) or "pip install torch-fidelity" in str(
        found.inception
    )
    assert socket.getdefaulttimeout() == before
