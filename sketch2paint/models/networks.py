"""The two networks of pix2pix (Isola et al. 2017, https://arxiv.org/abs/1611.07004)."""

from __future__ import annotations

import math
import reprlib
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sketch2paint.arguments import one_of

Norm = Literal["batch", "instance", "none"]
Upsampling = Literal["transposed", "resize"]
LARGEST = 2**16  # of a size or a number of channels; arguments may come from a stranger's file


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def check_whole(name: str, value: object, least: int, most: int, hint: str = "") -> None:
    """Check an argument that is to be a whole number within bounds."""
    given = reprlib.repr(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"Expected `{name}` to be a whole number, got {given}.")
    _expect(value >= least, f"Expected `{name}` to be at least {least}{hint}, got {given}.")
    _expect(value <= most, f"Expected `{name}` to be at most {most}{hint}, got {given}.")


def check_fraction(name: str, value: object) -> None:
    """Check an argument that is to be a number in [0, 1)."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    _expect(
        number and 0 <= value < 1,  # type: ignore[operator]
        f"Expected `{name}` to be in [0, 1), got {reprlib.repr(value)}.",
    )


def channels_last(x: Tensor) -> Tensor:
    """(B, C, H, W) with the channels next to each other in memory, as convolutions work fastest.

    Unlike `x.to(memory_format=...)` also for one channel, where torch sees nothing to do and the
    first convolution would go on with its result the other way round.
    """
    return torch.empty_like(x, memory_format=torch.channels_last).copy_(x)


class InstanceNorm(nn.InstanceNorm2d):
    """Instance norm that on a CPU leaves channels_last as it is, where torch's makes copies."""

    def forward(self, x: Tensor) -> Tensor:
        channels_last = x.is_contiguous(memory_format=torch.channels_last)
        turned = channels_last and not x.is_contiguous()
        if x.device.type != "cpu" or not turned or torch.compiler.is_compiling():
            return super().forward(x)
        arguments = (None, None, self.weight, self.bias, True, 0.0, self.eps)
        return torch.cat([F.batch_norm(sample, *arguments) for sample in x.split(1)])


def _norm(kind: str, channels: int, resolution: int) -> nn.Module:
    """One normalisation layer; none at 1x1, where a sample's mean is the sample itself."""
    if kind == "none" or resolution == 1:
        return nn.Identity()
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return InstanceNorm(channels, affine=True)


def _upsample(in_channels: int, out_channels: int, upsampling: str, bias: bool) -> nn.Module:
    if upsampling == "transposed":
        return nn.ConvTranspose2d(in_channels, out_channels, 4, 2, 1, bias=bias)
    # No checkerboard: resize, then convolve (Odena et al. 2016).
    conv = nn.Conv2d(in_channels, out_channels, 3, 1, 1, bias=bias)
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), conv)


class Down(nn.Module):
    """Halve the resolution: 4x4 convolution of stride 2, norm, LeakyReLU(0.2)."""

    def __init__(self, in_channels: int, out_channels: int, norm: str, resolution: int) -> None:
        super().__init__()
        self.norm = _norm(norm, out_channels, resolution)
        has_norm = not isinstance(self.norm, nn.Identity)
        self.conv = nn.Conv2d(in_channels, out_channels, 4, 2, 1, bias=not has_norm)
        self.activation = nn.LeakyReLU(0.2, inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.norm(self.conv(x)))


class Up(nn.Module):
    """Double the resolution, then norm, style, dropout, ReLU (paper 6.1.1: CDk blocks).

    A style code scales and shifts what the norm made (FiLM, Perez et al. 2018, with 1 + scale):
    as a constant plane it would be wiped out by an instance norm. At first it changes nothing.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        norm: str,
        upsampling: str,
        dropout: float,
        style_channels: int = 0,
    ) -> None:
        super().__init__()
        self.conv = _upsample(in_channels, out_channels, upsampling, bias=norm == "none")
        self.norm = _norm(norm, out_channels, resolution=2)
        self.style = nn.Linear(style_channels, 2 * out_channels) if style_channels else None
        self.dropout = nn.Dropout(dropout)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor, style: Tensor | None = None) -> Tensor:
        x = self.norm(self.conv(x))
        if self.style is not None:
            scale, shift = self.style(style)[..., None, None].chunk(2, dim=1)  # (B, C, 1, 1) each
            x = x * (1 + scale) + shift
        return self.activation(self.dropout(x))


class UNetGenerator(nn.Module):
    """U-Net of pix2pix: encoder C64-C128-C256-C512x5, the mirror image back (paper 6.1.1).

    Args:
        size: Side of the training pictures in pixels, a multiple of 2**levels.
        in_channels: Channels of all planes that it is given, the sketch first (`tasks.stack`).
        out_channels: Channels of the picture.
        base_channels: Width of the first level; the deepest levels have eight times as many.
        levels: Number of times that the resolution is halved; None: down to 1x1, 8 at 256.
        norm: Kind of norm: batch | instance | none. The first level and 1x1 have none.
        upsampling: Way to double the resolution: transposed (paper) | resize (nearest neighbour +
            3x3 convolution).
        dropout: Probability in the three deepest decoder blocks (paper: 0.5), in training only.
            The paper keeps it at test time as its noise z; here inference is deterministic.
        lay_lines: Whether the picture is multiplied by the sketch, the first input channel, as by
            a line layer in a painting program: what is left to learn are the colours under it.
        style_channels: Numbers of a style code, which scales and shifts after each norm of the
            decoder; 0: it takes none.

    Raises:
        ValueError: a parameter is out of its range.
    """

    def __init__(
        self,
        size: int = 256,
        in_channels: int = 1,
        out_channels: int = 3,
        base_channels: int = 64,
        levels: int | None = None,
        norm: str = "instance",
        upsampling: str = "transposed",
        dropout: float = 0.5,
        lay_lines: bool = False,
        style_channels: int = 0,
    ) -> None:
        super().__init__()
        check_whole("style_channels", style_channels, 0, LARGEST)
        check_whole("size", size, 1, LARGEST)
        levels = int(math.log2(size)) if levels is None else levels
        for name, channels in (
            ("in_channels", in_channels),
            ("out_channels", out_channels),
            ("base_channels", base_channels),
        ):
            check_whole(name, channels, 1, LARGEST)
        one_of("norm", norm, Norm)
        one_of("upsampling", upsampling, Upsampling)
        self._check(size, levels, dropout)
        self._check_lay_lines(lay_lines, out_channels)
        self.lay_lines = lay_lines
        self.size, self.in_channels, self.out_channels = size, in_channels, out_channels
        self.style_channels = style_channels
        self.multiple = 2**levels  # height and width must divide by it
        widths = [base_channels * min(2**level, 8) for level in range(levels)]
        names = [f"{size >> (level + 1)}x{size >> (level + 1)}" for level in range(levels)]

        self.down = nn.ModuleDict()
        for level, (name, width) in enumerate(zip(names, widths, strict=True)):
            into = in_channels if level == 0 else widths[level - 1]
            resolution = size >> (level + 1)
            self.down[name] = Down(into, width, "none" if level == 0 else norm, resolution)

        self.up = nn.ModuleDict()  # keyed by the resolution each block arrives at
        for level in reversed(range(1, levels)):
            # Every block but the deepest also takes the encoder's output of its level.
            into = widths[level] * (1 if level == levels - 1 else 2)
            rate = dropout if level >= levels - 3 else 0.0
            self.up[names[level - 1]] = Up(
                into, widths[level - 1], norm, upsampling, rate, style_channels
            )

        last = _upsample(base_channels * 2, out_channels, upsampling, bias=True)
        self.out = nn.Sequential(last, nn.Tanh())
        initialise(self)

    @staticmethod
    def _check(size: int, levels: int, dropout: float) -> None:
        check_whole("levels", levels, 2, int(math.log2(LARGEST)), " (`size` is 2**levels or more)")
        multiple = 2**levels
        _expect(
            size % multiple == 0,
            f"Expected `size` to be a multiple of {multiple} (the U-Net halves it {levels} times), "
            f"got {size}. Pass {max(size // multiple, 1) * multiple}, or fewer `levels`.",
        )
        check_fraction("dropout", dropout)

    @staticmethod
    def _check_lay_lines(lay_lines: object, out_channels: int) -> None:
        given = reprlib.repr(lay_lines)
        known = isinstance(lay_lines, bool)
        _expect(known, f"Expected `lay_lines` to be true or false, got {given}.")
        _expect(
            not lay_lines or out_channels == 3,
            f"Expected `lay_lines` to be false unless the picture is RGB, got {out_channels} "
            "channels. Pass model.generator.lay_lines=false.",
        )

    def forward(self, planes: Tensor, style: Tensor | None = None) -> Tensor:
        """Colour a batch of sketches.

        Args:
            planes: Planes on top of each other, (B, in_channels, H, W) in [-1, 1], the sketch
                first; H and W multiples of 2**levels.
            style: Style codes, (B, style_channels); None: zeros.

        Returns:
            (B, out_channels, H, W) in (-1, 1).

        Raises:
            ValueError: height or width does not divide by 2**levels, or the style is another one.
        """
        height, width = planes.shape[-2:]
        _expect(
            height % self.multiple == 0 and width % self.multiple == 0,
            f"Expected height and width to be multiples of {self.multiple}, got {height}x{width}. "
            "Pad the sketch with white (1.0).",
        )
        style = self._style(style, planes)
        # Encoder
        skips = []
        x = planes
        for block in self.down.values():
            x = block(x)
            skips.append(x)  # (B, width of the level, H / 2**level, W / 2**level)

        # Decoder. As in the paper the skip is the encoder's activation; the authors' later
        # PyTorch code passes it through another ReLU, which only drops its negative fifth.
        skips.pop()
        for block in self.up.values():
            x = torch.cat([block(x, style), skips.pop()], dim=1)
        picture = self.out(x)
        if self.lay_lines:  # a product in [0, 1]
            picture = (picture + 1) * ((planes[:, :1] + 1) / 2) - 1
        return picture

    def _style(self, style: Tensor | None, planes: Tensor) -> Tensor | None:
        """The style that the decoder's blocks are given: the caller's, or zeros."""
        if style is None:
            zeros = self.style_channels
            return planes.new_zeros(len(planes), zeros) if zeros else None
        _expect(
            self.style_channels > 0 and style.shape[1:] == (self.style_channels,),
            f"Expected `style` to be (B, {self.style_channels}), got {tuple(style.shape)}."
            if self.style_channels
            else "Expected no `style`: this generator takes none (style_channels=0).",
        )
        return style


class PatchDiscriminator(nn.Module):
    """70x70 PatchGAN: one logit for each 70x70 patch of sketch and picture (paper 6.1.2).

    Args:
        in_channels: Channels of the condition (the sketch) and the picture together.
        base_channels: Width of the first layer (paper: 64).
        layers: Number of convolutions of stride 2; 3 see 70x70 pixels.
        norm: Kind of norm: batch | instance | none; the first and the last layer have none.

    Raises:
        ValueError: a parameter is out of its range.
    """

    def __init__(
        self,
        in_channels: int = 4,
        base_channels: int = 64,
        layers: int = 3,
        norm: str = "instance",
    ) -> None:
        super().__init__()
        for name, channels in (("in_channels", in_channels), ("base_channels", base_channels)):
            check_whole(name, channels, 1, LARGEST)
        check_whole("layers", layers, 1, 6)
        one_of("norm", norm, Norm)
        widths = [base_channels * min(2**layer, 8) for layer in range(layers + 1)]
        blocks: list[nn.Module] = [
            nn.Conv2d(in_channels, widths[0], 4, 2, 1),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        for layer in range(1, layers + 1):
            # The paper's 70x70 field needs stride 1 in the last two convolutions.
            stride = 2 if layer < layers else 1
            conv = nn.Conv2d(widths[layer - 1], widths[layer], 4, stride, 1, bias=norm == "none")
            activation = nn.LeakyReLU(0.2, inplace=True)
            blocks += [conv, _norm(norm, widths[layer], resolution=2), activation]
        self.features = nn.Sequential(*blocks)
        self.logits = nn.Conv2d(widths[-1], 1, 4, 1, 1)
        initialise(self)

    def forward(self, condition: Tensor, picture: Tensor) -> Tensor:
        """Judge pictures under the condition of their sketches.

        Args:
            condition: Planes, (B, in_channels - 3, H, W) in [-1, 1]; in the paper the sketch.
            picture: Pictures, (B, 3, H, W) in [-1, 1].

        Returns:
            Logits without sigmoid, (B, 1, h, w): 30x30 at 256x256.
        """
        return self.logits(self.features(torch.cat([condition, picture], dim=1)))


def initialise(network: nn.Module) -> None:
    """Draw weights from N(0, 0.02), norm gains from N(1, 0.02), biases 0 (paper 6.2).

    What a style code does begins as nothing: its weights are 0.
    """
    if next(network.parameters()).is_meta:
        return  # only its shapes are asked for, and torch would import its compiler to draw them
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, (nn.BatchNorm2d, nn.InstanceNorm2d)):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
