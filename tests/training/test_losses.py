import math

import pytest
import torch
import torch.nn.functional as F
from torchmetrics.functional.image import peak_signal_noise_ratio

from sketch2paint.training.losses import (
    discriminator_loss,
    generator_loss,
    psnr_loss,
)

LOGITS = torch.tensor([-3.0, -0.5, 0.0, 2.0, 80.0]).view(1, 1, 1, 5)


def test_vanilla_is_binary_cross_entropy():
    for is_real in (True, False):
        expected = F.binary_cross_entropy_with_logits(LOGITS, torch.full_like(LOGITS, is_real))
        torch.testing.assert_close(discriminator_loss(LOGITS, is_real), expected)
    torch.testing.assert_close(
        generator_loss(LOGITS), F.binary_cross_entropy_with_logits(LOGITS, torch.ones_like(LOGITS))
    )


def test_vanilla_closed_form():
    logits = torch.tensor(1.5)
    probability = 1 / (1 + math.exp(-1.5))
    assert discriminator_loss(logits, True).item() == pytest.approx(-math.log(probability))
    assert discriminator_loss(logits, False).item() == pytest.approx(-math.log(1 - probability))
    assert discriminator_loss(torch.zeros(3), True).item() == pytest.approx(math.log(2))


def test_lsgan_closed_form():
    logits = torch.tensor([0.0, 3.0])
    assert discriminator_loss(logits, True, "lsgan").item() == pytest.approx((1 + 4) / 2)
    assert discriminator_loss(logits, False, "lsgan").item() == pytest.approx((0 + 9) / 2)
    assert generator_loss(logits, "lsgan").item() == pytest.approx((1 + 4) / 2)


def test_hinge_closed_form():
    logits = torch.tensor([-2.0, 0.5, 3.0])
    assert discriminator_loss(logits, True, "hinge").item() == pytest.approx((3 + 0.5 + 0) / 3)
    assert discriminator_loss(logits, False, "hinge").item() == pytest.approx((0 + 1.5 + 4) / 3)
    assert generator_loss(logits, "hinge").item() == pytest.approx(-0.5)


@pytest.mark.parametrize("mode", ["vanilla", "lsgan", "hinge"])
def test_generator_is_pulled_towards_real(mode):
    logits = torch.tensor([-1.0], requires_grad=True)
    generator_loss(logits, mode).backward()
    assert logits.grad.item() < 0


def test_no_overflow_at_large_logits():
    large = torch.tensor([1000.0, -1000.0], requires_grad=True)
    loss = discriminator_loss(large, True)
    loss.backward()
    assert loss.item() == pytest.approx(500)
    assert large.grad.isfinite().all()


@pytest.mark.parametrize("mode", ["vanilla", "lsgan", "hinge"])
def test_few_bits_are_averaged_in_float32(mode):
    logits = torch.linspace(-2, 2, 1001).bfloat16()
    for loss in (
        discriminator_loss(logits, True, mode),
        discriminator_loss(logits, False, mode),
        generator_loss(logits, mode),
    ):
        assert loss.dtype == torch.float32
    assert discriminator_loss(logits, True, mode) == discriminator_loss(logits.float(), True, mode)


def test_psnr_loss_is_minus_torchmetrics():
    generator = torch.Generator().manual_seed(0)
    real, noise = (torch.rand(3, 3, 8, 8, generator=generator) * 2 - 1 for _ in range(2))
    fake = real.lerp(noise, torch.tensor([0.5, 0.7, 1.0]).view(3, 1, 1, 1))
    each = [peak_signal_noise_ratio(f, r, data_range=2.0) for f, r in zip(fake, real, strict=True)]
    errors = [4 / 10 ** (psnr.item() / 10) for psnr in each]
    expected = sum(10 * math.log10((error + 1e-3) / 4) for error in errors) / 3
    assert psnr_loss(fake, real).item() == pytest.approx(expected, rel=1e-5)
    assert psnr_loss(real, real).item() == pytest.approx(-36.02, abs=0.01)
    assert psnr_loss(fake.bfloat16(), real).dtype == torch.float32


def test_psnr_loss_weighs_pictures_by_their_own_error():
    fake = torch.tensor([0.1, 1.0]).view(2, 1, 1, 1).expand(2, 3, 4, 4).clone().requires_grad_()
    psnr_loss(fake, torch.zeros(2, 3, 4, 4)).backward()
    near, far = fake.grad.sum(dim=(1, 2, 3)).tolist()
    scale = 10 / math.log(10) / 2  # of d log(e) / 2 pictures
    assert near == pytest.approx(scale * 0.2 / (0.01 + 1e-3), rel=1e-4)
    assert far == pytest.approx(scale * 2.0 / (1.0 + 1e-3), rel=1e-4)


def test_unknown_mode():
    message = "Expected `gan_mode` to be one of vanilla, lsgan, hinge, got 'wgan'"
    for call in (
        lambda: generator_loss(LOGITS, "wgan"),
        lambda: discriminator_loss(LOGITS, True, "wgan"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
