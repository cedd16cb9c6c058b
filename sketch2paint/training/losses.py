"""Losses as pure functions, in float32 also where what they judge is of fewer bits."""

from __future__ import annotations

import math
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from sketch2paint.arguments import one_of

GanMode = Literal["vanilla", "lsgan", "hinge"]
SMALLEST_ERROR = 1e-3  # squared, of [-1, 1]: 36 dB; a nearly right picture takes no more gradient


def discriminator_loss(logits: Tensor, is_real: bool, mode: GanMode = "vanilla") -> Tensor:
    """Loss of the discriminator on one half of its work, averaged over patches.

    Args:
        logits: Answers of the discriminator, (B, 1, h, w), no sigmoid.
        is_real: Whether the pictures judged were real.
        mode: Kind of loss: vanilla (BCE, Goodfellow et al. 2014), lsgan (Mao et al. 2017, without
            its factor 1/2, as in the common code) or hinge (Lim and Ye 2017).

    Returns:
        A scalar; ln 2 at logits 0 for vanilla, 1 for hinge.

    Raises:
        ValueError: unknown mode.
    """
    one_of("gan_mode", mode, GanMode)
    logits = logits.float()
    if mode == "hinge":
        return F.relu(1 - logits if is_real else 1 + logits).mean()
    return _against_label(logits, is_real, mode)


def generator_loss(logits: Tensor, mode: GanMode = "vanilla") -> Tensor:
    """Loss of the generator for the logits of its fakes, averaged over patches.

    Args:
        logits: Answers of the discriminator, (B, 1, h, w), no sigmoid.
        mode: Kind of loss: vanilla is the non-saturating -log D(G(x)) (paper 3.3), lsgan pulls
            towards 1, hinge is -mean(logits).

    Returns:
        A scalar.

    Raises:
        ValueError: unknown mode.
    """
    one_of("gan_mode", mode, GanMode)
    logits = logits.float()
    if mode == "hinge":
        return -logits.mean()
    return _against_label(logits, True, mode)


def psnr_loss(fake: Tensor, real: Tensor) -> Tensor:
    """Minus the PSNR in dB, averaged over pictures (HINet, https://arxiv.org/abs/2105.06086).

    Each picture's error counts in relation to itself: one whose colours cannot be known does not
    outweigh those that can be got right. Unlike L1 it makes a compromise between likely colours.

    Args:
        fake: Coloured pictures, (B, C, H, W) in [-1, 1].
        real: True pictures, likewise.

    Returns:
        A scalar of at least -36.02, which is where the two are equal.
    """
    error = (fake.float() - real.float()).square().mean(dim=(1, 2, 3))  # (B,)
    return 10 / math.log(10) * ((error + SMALLEST_ERROR).log() - math.log(4)).mean()


def _against_label(logits: Tensor, is_real: bool, mode: str) -> Tensor:
    if mode == "lsgan":
        return (logits - float(is_real)).square().mean()
    return F.softplus(-logits if is_real else logits).mean()  # BCE with logits, label 1 or 0
