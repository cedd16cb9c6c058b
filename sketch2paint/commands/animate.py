"""Colour a drawn shot: python animate.py input=SHOT output=OUT keys=DIR [checkpoint=runs/NAME]"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sketch2paint.arguments import Name
from sketch2paint.verb import verb, working

if TYPE_CHECKING:
    from sketch2paint.inference.picture_painter import PicturePainter


def animate(
    input: Name,
    output: Name,
    keys: Name | None,
    hints: Name | None,
    checkpoint: Name | None,
    flats: bool,
    layers: bool,
    cuts: str | int | list[int],
    overwrite: bool,
    coloured: Literal["skip", "paint"],
    truth: Name | None,
    every: int | list[int],
    size: int | None,
    device: str,
    max_pixels: int,
) -> int:
    """Colour a shot; the exit code is 1 if something failed, 130 or 143 after a signal."""
    given, spacings = _frames(cuts), every if isinstance(every, list) else [every]
    _check_numbers(spacings, size, max_pixels)
    from sketch2paint.animation.shots import opened_shot

    if truth:
        from sketch2paint.animation.measure import measure_shot

        with opened_shot(input, max_pixels) as shot, working():
            table = measure_shot(
                shot, truth, spacings=spacings, output=output, size=size, max_pixels=max_pixels
            )
            print(table)
        return 0
    from sketch2paint.animation.plan import plan_shot
    from sketch2paint.animation.record import Place
    from sketch2paint.animation.shot_pipeline import colour_shot, summary
    from sketch2paint.models.shipped import SHIPPED

    place = Place(output, input)
    with opened_shot(input, max_pixels) as shot:
        place.check([frame.name for frame in shot.frames], overwrite)
        if not keys:
            checkpoint = checkpoint or SHIPPED
        painter = _painter(checkpoint, device, flats)
        plan = plan_shot(
            shot, keys=keys, hints=hints, checkpoint=checkpoint, cuts=given, coloured=coloured,
            max_pixels=max_pixels,
        )  # fmt: skip
        with working():
            result = colour_shot(
                plan,
                place=place,
                painter=painter,
                flats=flats,
                layers=layers,
                overwrite=overwrite,
                max_pixels=max_pixels,
            )
            print(summary(result, place))
    return 128 + result.signum if result.signum else int(bool(result.failed))


def _painter(checkpoint: str | None, device: str, flats: bool) -> PicturePainter | None:
    if not checkpoint:
        return None
    from sketch2paint.inference.painters import load_painter

    return load_painter(checkpoint, device=device, flats=flats)


def _check_numbers(every: list[int], size: int | None, max_pixels: int) -> None:
    if not every or min(every) < 0:
        raise ValueError(f"Expected `every` to be numbers from 0 on, got {every}. Pass every=8,0.")
    if size is not None and size < 16:
        raise ValueError(f"Expected `size` to be at least 16 pixels or null, got {size}.")
    if max_pixels < 1:
        raise ValueError(f"Expected `max_pixels` to be at least 1, got {max_pixels}.")


def _frames(cuts: str | int | list[int]) -> list[int] | None:
    """The numbers of the frames with which scenes begin, or None for auto."""
    if cuts == "auto":
        return None
    numbers = cuts if isinstance(cuts, list) else [cuts]
    if any(isinstance(number, str) or number < 0 for number in numbers):
        raise ValueError(
            f"Expected `cuts` to be auto or numbers of frames, got {cuts!r}. Pass cuts=12,40."
        )
    return numbers  # type: ignore[return-value]


main = verb(animate, several="cuts every")
