"""What a generator is given and what it gives: named planes in, colours out."""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sketch2paint.images.convert import rgb_to_lab

if TYPE_CHECKING:
    from torch import Tensor

LARGEST = 2**16  # of a number of channels; it may come from a stranger's file
MOST_PLANES = 16
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")

Batch = Mapping[str, "Tensor"]
TaskName = Literal["sketch", "photo"]


class Plane(NamedTuple):
    """One named part of what a generator is given, (B, channels, H, W) in [-1, 1].

    Attributes:
        name: Key of the batch that holds it.
        channels: Number of its channels.
        empty: Value that says nothing, also the padding: 1 is white paper. None: there is no such
            value, and beyond the border its edge is repeated.
    """

    name: str
    channels: int
    empty: float | None


class Task(NamedTuple):
    """What is coloured, and how the result becomes a picture.

    Attributes:
        name: Name in configurations and weight files.
        planes: What a generator for it is given at least; the first is the sketch, one channel.
        out_channels: Channels of its result: 3 RGB, or 2 ab that join the sketch, which is L then.
    """

    name: TaskName
    planes: tuple[Plane, ...]
    out_channels: int

    @property
    def lightness(self) -> bool:
        """Whether the sketch is the L of CIE Lab, which the coloured picture keeps."""
        return self.out_channels == 2

    def sketch_of(self, grey_or_rgb: Tensor) -> Tensor:
        """The sketch of pictures: L of a photograph, the drawing itself.

        Args:
            grey_or_rgb: Pictures, (B, 1, H, W) in [-1, 1], for a photograph (B, 3, H, W) too.

        Returns:
            (B, 1, H, W) in [-1, 1].
        """
        if not self.lightness:
            return grey_or_rgb
        return rgb_to_lab(grey_or_rgb.expand(-1, 3, -1, -1))[:, :1]

    def pair_of(self, pictures: Tensor) -> dict[str, Tensor]:
        """Sketch and true colours of what a data module loads.

        Args:
            pictures: RGB and the sketch, (B, 4, H, W) in [-1, 1]; photographs (B, 3, H, W).

        Returns:
            `sketch` (B, 1, H, W) and `real` (B, out_channels, H, W).

        Raises:
            ValueError: another number of channels.
        """
        expected = 3 if self.lightness else 4
        if pictures.shape[1] != expected:
            raise ValueError(
                f"Expected pictures of {expected} channels for the task {self.name}, got "
                f"{pictures.shape[1]}. Pass other planes under names of their own."
            )
        if self.lightness:
            lab = rgb_to_lab(pictures)
            return {"sketch": lab[:, :1], "real": lab[:, 1:]}
        return {"sketch": pictures[:, 3:], "real": pictures[:, :3]}


SKETCH = Task("sketch", (Plane("sketch", 1, 1.0),), 3)  # line art to RGB; beyond it is white paper
FLATS = Plane("flats", 3, 1.0)  # a colour for each region, which a generator then shades
PHOTO = Task("photo", (Plane("sketch", 1, None),), 2)  # L to ab in CIE Lab; a photograph goes on


def task_of(name: str) -> Task:
    """The task of a name that is known to be one."""
    return {task.name: task for task in (SKETCH, PHOTO)}[name]  # type: ignore[index]


def channels_of(planes: Sequence[Plane]) -> int:
    """Number of channels of planes on top of each other."""
    return sum(plane.channels for plane in planes)


def stack(batch: Batch, planes: Sequence[Plane]) -> Tensor:
    """Lay planes of a batch on top of each other: the one place that orders channels.

    Args:
        batch: Tensors by name; those of other names are left alone.
        planes: What is wanted, in this order.

    Returns:
        (B, channels, H, W); without planes (B, 0, H, W).

    Raises:
        ValueError: the batch lacks a plane, or has it with another number of channels.
    """
    parts = []
    for plane in planes:
        if plane.name not in batch:
            raise ValueError(
                f"Expected the plane `{plane.name}` in a batch, got {', '.join(sorted(batch))}. "
                "Use data that serve it, or a model without it."
            )
        part = batch[plane.name]
        if part.ndim != 4 or part.shape[1] != plane.channels:
            raise ValueError(
                f"Expected `{plane.name}` to be (B, {plane.channels}, H, W), got "
                f"{tuple(part.shape)}."
            )
        parts.append(part)
    if not parts:
        return batch["sketch"][:, :0]
    if len(parts) == 1:
        return parts[0]
    import torch

    return torch.cat(parts, dim=1)


def with_empty(batch: Batch, planes: Sequence[Plane]) -> dict[str, Tensor]:
    """A batch whose missing planes say nothing; one without an empty value has to be there."""
    sketch = batch["sketch"]
    filled = dict(batch)
    for plane in planes:
        if plane.name not in batch and plane.empty is not None:
            shape = len(sketch), plane.channels, *sketch.shape[2:]
            filled[plane.name] = sketch.new_full(shape, plane.empty)
    return filled


def as_planes(given: Any, where: str = "planes") -> tuple[Plane, ...]:
    """Read planes from plain data: [name, channels, empty] each, or a mapping of these.

    Args:
        given: What a data module, a configuration or a stranger's file says.
        where: Name for errors.

    Raises:
        ValueError: they are no planes, or the first is not the sketch.
    """
    entries = given if isinstance(given, (list, tuple)) and len(given) <= MOST_PLANES else ()
    planes = tuple(plane for plane in map(_plane, entries) if plane)
    names = [plane.name for plane in planes]
    if not planes or len(planes) != len(entries) or len(set(names)) != len(names):
        raise ValueError(
            f"{where}: expected planes as [[name, channels, empty], ...] with different names, "
            f"got {reprlib.repr(given)}."
        )
    if planes[0][:2] != ("sketch", 1):
        raise ValueError(
            f"{where}: expected `sketch` of 1 channel as the first plane, got "
            f"{reprlib.repr(names[0])} of {planes[0].channels}."
        )
    return planes


def _plane(given: Any) -> Plane | None:
    values = [given.get(key) for key in Plane._fields] if isinstance(given, dict) else given
    if not isinstance(values, (list, tuple)) or len(values) != len(Plane._fields):
        return None
    name, channels, empty = values
    named = type(name) is str and NAME.fullmatch(name) is not None
    counted = type(channels) is int and 1 <= channels <= LARGEST
    if not named or not counted:
        return None
    if empty is not None and not (type(empty) in (int, float) and math.isfinite(empty)):
        return None
    return Plane(name, channels, None if empty is None else float(empty))
