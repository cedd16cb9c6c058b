"""Painter: a weight file and drawings or photographs in, pictures of the same size out."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from sketch2paint.arguments import is_number, is_whole, one_of
from sketch2paint.device import (
    choose_device,
    has_fast_bf16,
    is_out_of_memory,
    shared_threads,
    thread_count,
)
from sketch2paint.hints.format import Hints
from sketch2paint.images.convert import (
    array_to_float,
    array_to_uint8,
    lab_to_rgb,
    resize,
    rgb_to_lab,
    rows,
    scaled_size,
    strips,
    to_float,
    to_hwc,
)
from sketch2paint.images.layer import multiplied
from sketch2paint.inference.composition import compose
from sketch2paint.inference.flats import by_regions
from sketch2paint.inference.picture_painter import (
    LONGEST,
    MOST,
    Normalise,
    Painted,
    PicturePainter,
    is_too_large,
)
from sketch2paint.inference.tiling import Finish, Part, in_parts, in_tiles, norms_of
from sketch2paint.models.onnx_generator import ExportedGenerator
from sketch2paint.models.shipped import SHIPPED
from sketch2paint.models.styles import Style
from sketch2paint.models.tasks import (
    Batch,
    Plane,
    TaskName,
    channels_of,
    stack,
    task_of,
    with_empty,
)

if TYPE_CHECKING:  # drawings and an .onnx file need no torch, whose import takes seconds
    import torch
    from torch import Tensor

    from sketch2paint.models.networks import UNetGenerator

Precision = Literal["auto", "32-true", "bf16"]
Lines = Literal["keep", "network"]
ENLARGED = 65536  # pixels of a thin strip up to which it is enlarged
TILE = 4  # training sizes of a tile's side, unless told
BATCH = 64 * 256 * 256  # pixels that a GPU is given at once
CPU_BATCH = 8 * 256 * 256  # the same for a CPU, in bf16


class Painter(PicturePainter):
    """Colours sketches or photographs with a trained generator, deterministically.

    Args:
        generator: Trained network, in eval mode.
        task: Task that it was trained for, sketch | photo.
        planes: Planes that it is given, in the order of its channels; None: the task's own. Those
            that nobody fills are empty.
        device: Device on which it runs: auto (a GPU if there is one), cpu, cuda, cuda:1, mps.
        precision: Arithmetic 32-true | bf16 (8 bits: a few of 255 levels of difference, also
            between a picture alone and in a list) | auto: bf16 on a GPU or CPU that has it.
        scale: Pixels of the network for one of the drawing | auto: the shorter side becomes the
            training size (so that lines have the thickness it knows). No strip is enlarged to
            more than 65,536 pixels.
        tile: Side in pixels of the network, above which it works in overlapping tiles (smaller ones
            need less memory and more time) | off | auto: four training sizes.
        lines: Lines of the result: keep (the drawing's own, at full resolution) | network (what the
            network made of them). A photograph keeps its lightness either way.
        normalise: Treatment of scans: auto (they become black on white, see `scans.normalise`) |
            off.
        flats: Whether each region of a drawing gets one plain colour, without any blended pixel.
        colours: Number of colours of flats at most, paper and hints not counted | auto: as many as
            are unlike.
        gap: Width in pixels of the drawing of the widest opening in its lines that still is a
            border, 0 for closed lines only | auto: the hints', or a tenth of the shorter side.
        code: Style code (N,) that every picture gets, for a generator that takes one; None: zeros.

    Raises:
        ValueError: a parameter is out of its range; the message names it.
    """

    def __init__(
        self,
        generator: UNetGenerator | ExportedGenerator,
        *,
        task: TaskName = "sketch",
        planes: Sequence[Plane] | None = None,
        device: str = "cpu",
        precision: Precision = "auto",
        scale: float | str = "auto",
        tile: int | str = "auto",
        lines: Lines = "keep",
        normalise: Normalise = "auto",
        flats: bool = False,
        colours: int | str = "auto",
        gap: float | str = "auto",
        code: np.ndarray | None = None,
    ) -> None:
        one_of("task", task, TaskName)
        one_of("precision", precision, Precision)
        one_of("lines", lines, Lines)
        _check_scale(scale)
        self.scale, self.lines = scale, lines
        super().__init__(task_of(task), normalise=normalise, flats=flats, colours=colours, gap=gap)
        self.planes = tuple(planes or self.task.planes)
        _check_planes(self.planes, generator)
        _check_code(code, generator)
        self.tile, self.code = _tile(tile, generator), code
        self.generator: UNetGenerator | ExportedGenerator
        if isinstance(generator, ExportedGenerator):
            if device not in ("auto", "cpu"):
                choose_device(device)  # where it runs was chosen as it was read
            self.generator, self._place = generator, generator.device
            self.precision: str = "32-true" if precision == "auto" else precision
        else:
            place = choose_device(device)
            auto = "bf16" if has_fast_bf16(place) else "32-true"
            self.precision = auto if precision == "auto" else precision
            self.generator, self._place = _placed(generator, place, self.precision), str(place)

    @property
    def device(self) -> torch.device:
        """Device on which `generate` takes tensors."""
        import torch

        return torch.device(self._place)

    @property
    def size(self) -> int:
        """Side of the training pictures in pixels."""
        return self.generator.size

    @property
    def multiple(self) -> int:
        """Number by which the sides of what the network sees divide."""
        return self.generator.multiple

    @property
    def on_cpu(self) -> bool:
        """Whether the network computes on the CPU."""
        return self._place.startswith("cpu")

    @classmethod
    def load(
        cls,
        path: Path | str = SHIPPED,
        *,
        device: str = "auto",
        precision: Precision = "auto",
        scale: float | str = "auto",
        tile: int | str = "auto",
        lines: Lines = "keep",
        normalise: Normalise = "auto",
        flats: bool = False,
        colours: int | str = "auto",
        gap: float | str = "auto",
        style: Style | None = None,
        directions: Path | str | None = None,
    ) -> PicturePainter:
        """Read whatever can paint, as `painters.load_painter` does; see there.

        A generator gives a Painter, a region network, or both, a RegionPainter. The parameters but
        `path` are Painter's, and `style` and `directions` are `load_painter`'s.

        Raises:
            FileNotFoundError: there are no weights.
            ValueError: a damaged or foreign file, no such device, or a bad parameter.
        """
        from sketch2paint.inference.painters import load_painter  # it needs this class

        return load_painter(
            path,
            device=device,
            precision=precision,
            scale=scale,
            tile=tile,
            lines=lines,
            normalise=normalise,
            flats=flats,
            colours=colours,
            gap=gap,
            style=style,
            directions=directions,
        )

    def process(
        self,
        sketches: Sequence[np.ndarray],
        hints: Sequence[Hints | None] | None = None,
        flats: Sequence[np.ndarray] | None = None,
    ) -> list[Painted]:
        """Colour sketches as `paint` does, and keep the layers; see PicturePainter.

        Args:
            sketches, hints: As PicturePainter's.
            flats: Flats of each sketch, (H, W, 3) uint8, for a generator that has them as a plane.
        """
        told = self.fitted(hints, sketches)
        drawings, notes = self.drawings(sketches)
        given = drawings
        if flats:
            pairs = zip(drawings, flats, strict=True)
            given = [np.dstack([drawing, flat]) for drawing, flat in pairs]
        inputs = [self._scaled(picture) for picture in given]
        by_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for i, picture in enumerate(inputs):
            by_shape[picture.shape].append(i)
        done: dict[int, Painted] = {}
        for (height, width, *_), indices in by_shape.items():
            fakes = self._network([inputs[i] for i in indices], max(height, width) > self.tile)
            others = [[of[i] for i in indices] for of in (drawings, notes, told)]
            with ThreadPoolExecutor(thread_count()) as pool:
                done |= zip(indices, pool.map(self._full_size, fakes, *others), strict=True)
        return [done[i] for i in range(len(sketches))]

    def check_regions(self, what: str) -> None:
        """See that the task and the lines allow flats or hints."""
        super().check_regions(what)
        if self.lines == "network":
            raise ValueError(
                f"Expected lines=keep with {what}, got lines=network: colours are given to what "
                "lies between the drawing's own lines. Leave out `lines`."
            )

    def _scaled(self, drawing: np.ndarray) -> np.ndarray:
        """(H, W) or (H, W, 3) uint8 to the size that the network is to see."""
        shorter, longer = sorted(drawing.shape[:2])
        scale = min(self.generator.size / shorter, max(1.0, ENLARGED / longer))
        if self.scale != "auto":
            scale = float(self.scale)
        height, width = scaled_size(drawing.shape, scale)
        if is_too_large(height, width):
            raise ValueError(
                f"Expected the network's input to be {MOST}, got {height}x{width} with "
                f"scale={self.scale}. Pass a smaller `scale`."
            )
        return resize(drawing, height, width)

    def _network(self, pictures: list[np.ndarray], tiled: bool) -> list[np.ndarray]:
        """Scaled inputs of one size to (h, w, 3) uint8 RGB, or (h, w, 2) float16 ab of photos."""
        finish = _half if self.task.lightness else _bytes
        try:
            if tiled:
                return [self._in_tiles(picture, finish) for picture in pictures]
            if self._one_at_a_time() and len(pictures) > 1:
                return self._side_by_side(pictures, finish)
            return [finish(fake) for fake in self._forward(pictures)]
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            height, width = pictures[0].shape[:2]
            side = min(self.tile, max(height, width))
            raise ValueError(
                f"Expected {self._place} to have memory for tiles of {side} pixels (the drawing is "
                f"{height}x{width} there), got: {error}. Pass a smaller `tile`, a multiple of "
                f"{self.generator.multiple}, or a smaller `scale`."
            ) from error

    def _one_at_a_time(self) -> bool:
        return self.on_cpu and self.precision == "32-true"

    def _side_by_side(self, pictures: list[np.ndarray], finish: Finish) -> list[np.ndarray]:
        """One picture on each thread: the bits of a picture alone, at the rate of a batch.

        A convolution on a CPU may sum in another order for another batch size, but not for another
        number of threads.
        """

        def paint(picture: np.ndarray) -> np.ndarray:
            return finish(next(self._forward([picture])))

        with shared_threads(thread_count()) as pool:
            return list(pool.map(paint, pictures))

    def _in_tiles(self, picture: np.ndarray, finish: Finish) -> np.ndarray:
        height, width = picture.shape[:2]
        # The thin side of a strip gets its border with each tile: all of it may be too much.
        whole, (top, left) = self._padded(picture, above=self.tile)
        tile, around = self.tile, min(self.tile, self.generator.size)
        parts = in_parts(whole, tile=tile, overlap=around // 4)
        # At its edges a tile lacks what lies beyond: the smaller, the more of it is edge.
        overlap = max(tile // 4, around * 3 // 4)
        with self._norms(parts):
            painted = in_tiles(
                whole, tile=tile, overlap=overlap, paint=self._forward, finish=finish
            )
        return painted[top : top + height, left : left + width]

    def _norms(self, parts: Sequence[Part]) -> AbstractContextManager:
        """See `norms_of`; those of an exported file are out of reach."""
        if isinstance(self.generator, ExportedGenerator):
            return nullcontext()
        return norms_of(self.generator, parts, lambda part: next(self._forward([part])))

    def _padded(self, picture: np.ndarray, above: int = 0) -> tuple[np.ndarray, tuple[int, int]]:
        """A picture with a border so that the network divides, and where it begins in it.

        The border is what an empty sketch looks like, white paper; a photograph goes on. Sides of
        at most `above` pixels get none.
        """
        spare = [-n % self.generator.multiple * (n > above) for n in picture.shape[:2]]
        around = [(n // 2, n - n // 2) for n in spare] + [(0, 0)] * (picture.ndim - 2)
        empty = self.planes[0].empty
        if not any(spare):
            padded = picture
        elif empty is None:
            padded = np.pad(picture, around, mode="edge")
        else:
            padded = np.pad(picture, around, constant_values=round((empty + 1) * 127.5))
        return padded, (around[0][0], around[1][0])

    def _forward(self, pictures: list[np.ndarray]) -> Iterator[np.ndarray]:
        """(h, w) or (h, w, 3) uint8 of one size to (h, w, 3 or 2) float32 in [-1, 1]."""
        height, width = pictures[0].shape[:2]
        pixels = CPU_BATCH if self.on_cpu else BATCH
        at_once = 1 if self._one_at_a_time() else max(1, pixels // (height * width))
        for start in range(0, len(pictures), at_once):
            padded = [self._padded(picture) for picture in pictures[start : start + at_once]]
            top, left = padded[0][1]
            fakes = self._colour(np.stack([picture for picture, _ in padded]))
            fakes = fakes[..., top : top + height, left : left + width]
            yield from (fake.transpose(1, 2, 0) for fake in fakes)

    def _colour(self, pictures: np.ndarray) -> np.ndarray:
        """(B, h, w) or (B, h, w, C) uint8 to float32 (B, 3 or 2, h, w) in [-1, 1]."""
        x = pictures[:, None] if pictures.ndim == 3 else pictures.transpose(0, 3, 1, 2)
        ends = np.cumsum([plane.channels for plane in self.planes])
        if isinstance(self.generator, ExportedGenerator) and not self.task.lightness:
            planes = np.split(array_to_float(x), ends[ends < x.shape[1]], axis=1)
            named = zip(self.planes, planes, strict=False)  # those that nobody fills are empty
            given = {plane.name: own for plane, own in named}
            told = {} if self.code is None else {"style": self._codes(len(x))}
            return self.generator.colour({**given, **told})
        import torch

        with torch.inference_mode():
            picture = to_float(torch.from_numpy(x).to(self.device))
            if self.task.lightness:
                batch = {"sketch": self.task.sketch_of(picture)}
            else:
                parts = picture.tensor_split(ends[ends < x.shape[1]].tolist(), dim=1)
                batch = {p.name: own for p, own in zip(self.planes, parts, strict=False)}
            if self.code is not None:
                batch["style"] = torch.from_numpy(self._codes(len(x))).to(self.device)
            return self.generate(batch).cpu().numpy()

    def _codes(self, count: int) -> np.ndarray:
        """The style code for each picture of a batch, (B, N) float32."""
        return np.tile(np.float32(self.code), (count, 1))

    def generate(self, batch: Batch) -> Tensor:
        """What the network makes of a batch, in the painter's precision.

        Args:
            batch: Batch with `sketch` (B, 1, H, W) in [-1, 1] on the painter's device, H and W
                multiples of the generator's; other planes it is given, or they are empty; `style`
                (B, N).

        Returns:
            (B, out_channels, H, W) float32 in [-1, 1], on the same device.
        """
        from sketch2paint.models.networks import channels_last

        planes = stack(with_empty(batch, self.planes), self.planes)
        style = (batch["style"],) if "style" in batch else ()
        with self.arithmetic():
            return self.generator(channels_last(planes), *style).float()

    def arithmetic(self) -> AbstractContextManager:
        """Context in which the network computes: in the painter's precision, the same every day."""
        import torch

        if self.precision == "bf16":
            return torch.autocast(self.device.type, torch.bfloat16)
        if self.device.type != "cuda":
            return nullcontext()
        # Or cuDNN would choose other algorithms on another day, and round to 10 bits.
        return torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        )

    def _full_size(
        self, fake: np.ndarray, drawing: np.ndarray, notes: tuple[str, ...], hints: Hints | None
    ) -> Painted:
        """What `_network` made and the drawing, to layers of the drawing's size."""
        height, width = drawing.shape[:2]
        if self.lines == "keep" and not self.task.lightness:
            colours, lines, picture = compose(fake, drawing)
            if self.flats or hints:
                colours, more = by_regions(
                    colours,
                    drawing,
                    hints=hints,
                    flats=self.flats,
                    gap=self.gap,
                    most=self.colours,
                )
                picture, notes = multiplied(colours, lines), (*notes, *more)
            return Painted(picture, colours=colours, lines=lines, notes=notes, flat=self.flats)
        keep = self.task.lightness
        picture = _recoloured(drawing, fake) if keep else resize(fake, height, width)
        lines = np.full((height, width), 255, np.uint8)
        return Painted(picture, colours=picture, lines=lines, notes=notes)


def _recoloured(photo: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, 3) uint8 with its own L and with (h, w, 2) ab, to (H, W, 3) uint8."""
    import torch

    height, width = photo.shape[:2]
    if len(ab) > height or ab.shape[1] > width:
        ab = resize(ab.astype(np.float32), height, width)
    out = np.empty((height, width, 3), np.uint8)
    for here in strips(height, width):
        strip = photo[here]
        rgb = strip if strip.ndim == 3 else np.repeat(strip[..., None], 3, axis=2)
        lab = rgb_to_lab(to_float(torch.tensor(rgb).permute(2, 0, 1)[None]))
        around = rows(ab, height=height, width=width, here=here)
        lab[0, 1:] = torch.from_numpy(around).permute(2, 0, 1)
        out[here] = to_hwc(lab_to_rgb(lab)[0])
    return out


def _bytes(fake: np.ndarray) -> np.ndarray:
    out = np.empty(fake.shape, np.uint8)
    for here in strips(*fake.shape[:2]):
        channels = np.moveaxis(array_to_uint8(fake[here]), 2, 0)
        out[here] = cv2.merge([*channels])  # quicker than numpy turns them
    return out


def _half(ab: np.ndarray) -> np.ndarray:
    return ab.astype(np.float16)


def _check_planes(planes: Sequence[Plane], generator: UNetGenerator | ExportedGenerator) -> None:
    if channels_of(planes) != generator.in_channels:
        raise ValueError(
            f"Expected planes of {generator.in_channels} channels for this generator, got "
            f"{', '.join(f'{plane.name} of {plane.channels}' for plane in planes)}. Pass those of "
            "its weight file, or use Painter.load."
        )


def _check_code(code: np.ndarray | None, generator: UNetGenerator | ExportedGenerator) -> None:
    if code is not None and code.shape != (generator.style_channels,):
        raise ValueError(
            f"Expected a code of {generator.style_channels} numbers for this generator, got "
            f"{code.shape}. Leave it out for the average look."
        )


def _check_scale(scale: object) -> None:
    if scale != "auto" and not (is_number(scale) and scale > 0):
        raise ValueError(
            f"Expected `scale` to be auto or a number above 0, got {scale!r}. "
            "Pass 1 for the drawing as it is."
        )


def _tile(tile: int | str, generator: UNetGenerator | ExportedGenerator) -> int:
    """The side of a tile in pixels."""
    if tile in ("auto", "off"):
        return TILE * generator.size if tile == "auto" else LONGEST
    multiple = generator.multiple
    if not is_whole(tile) or tile < 1 or tile % multiple:
        raise ValueError(
            f"Expected `tile` to be auto, off or a multiple of {multiple} (which the generator "
            f"needs) above 0, got {tile!r}. Pass {TILE * generator.size}, for instance."
        )
    return tile


def _placed(generator: UNetGenerator, device: torch.device, precision: str) -> UNetGenerator:
    """A generator in eval mode on a device, its weights in the order in which it is fastest."""
    import torch

    placed = generator.eval().to(device)
    placed.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return _with_bf16_weights(placed) if precision == "bf16" and device.type == "cpu" else placed


def _with_bf16_weights(generator: UNetGenerator) -> UNetGenerator:
    """A copy whose convolutions need no conversion each time, as autocast would do it."""
    from torch import nn

    convolutions = [m for m in generator.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    converted = {
        id(parameter): nn.Parameter(parameter.detach().bfloat16(), requires_grad=False)
        for module in convolutions
        for parameter in module.parameters()
    }
    return copy.deepcopy(generator, converted)  # the memo: what counts as copied already
