"""The one way from weight files to what paints with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketch2paint.hints.palette import Palette
from sketch2paint.inference.painter import Lines, Painter, Precision
from sketch2paint.inference.picture_painter import Normalise
from sketch2paint.models.description import planes_of, style_of
from sketch2paint.models.direction_file import code_along, known_directions
from sketch2paint.models.loading import load, networks_in
from sketch2paint.models.shipped import SHIPPED
from sketch2paint.models.styles import DIRECTIONS, Style

if TYPE_CHECKING:
    from sketch2paint.inference.region_painter import RegionPainter


def load_painter(
    checkpoint: Path | str = SHIPPED,
    *,
    region_network: Path | str | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    scale: float | str = "auto",
    tile: int | str = "auto",
    lines: Lines = "keep",
    normalise: Normalise = "auto",
    flats: bool = False,
    colours: int | str = "auto",
    gap: float | str = "auto",
    palette: Palette | None = None,
    variations: int = 1,
    seed: int = 0,
    style: Style | None = None,
    directions: Path | str | None = None,
) -> Painter | RegionPainter:
    """Read a generator, a region network, or both, for painting.

    Args:
        checkpoint: Run folder or file of either kind of network, or of both, or the word `shipped`
            for the model that comes with the package.
        region_network: Run folder or file of a region network, which names the colours; the
            generator of `checkpoint` shades them then. None: that of `checkpoint`, if there is one.
        device, precision, scale, tile, lines, normalise, flats, colours, gap: As Painter's.
        palette, variations, seed: As RegionPainter's; they need a region network.
        style: Steps -3 to 3 by the names of directions. A region network knows four, see
            `models.styles`; a generator with a style code knows its numbers, by their names.
        directions: File of further directions of the generator's code, as explore.py writes it.

    Raises:
        FileNotFoundError: there are no weights.
        ValueError: a damaged or foreign file, no such device, a bad parameter, or a palette,
            variations, a style or directions that the network does not take.
    """
    common: dict[str, Any] = {"normalise": normalise, "colours": colours, "gap": gap}
    regions = {
        **common, "palette": palette, "variations": variations, "seed": seed, "style": style,
    }  # fmt: skip
    generator: dict[str, Any] = {
        "device": device, "precision": precision, "scale": scale, "tile": tile, "lines": lines,
    }  # fmt: skip
    there = networks_in(checkpoint)
    if directions and (region_network or "region_network" in there):
        raise ValueError(
            f"Expected no `directions` with a region network, whose own are {', '.join(DIRECTIONS)}"
            f", got {directions}. Leave it out."
        )
    if there == {"region_network"}:
        _check_alone(checkpoint, region_network, lines)
        return _by_regions(checkpoint, None, device=device, flats=flats, **regions)
    if region_network is None and "region_network" not in there:
        _check_generator(checkpoint, palette, variations)
        keys = {**generator, **common, "flats": flats}
        return _by_generator(checkpoint, style=style, directions=directions, **keys)
    shading = _by_generator(checkpoint, normalise="off", **generator)  # the drawing comes clean
    names = region_network or checkpoint
    return _by_regions(names, shading, device=device, flats=flats, **regions)


def _by_generator(
    path: Path | str,
    *,
    device: str,
    style: Style | None = None,
    directions: Path | str | None = None,
    **keys: Any,
) -> Painter:
    network, about = load(path, device=device)
    keys |= {"task": about["task"], "planes": planes_of(about), "device": device}
    if style or directions:
        names = style_of(about)
        _check_way(path, bool(names), "a style")
        known = known_directions(names, directions)
        if not directions and (unknown := [*(style or {}).keys() - known.keys()]):
            raise ValueError(
                f"{path}: expected `directions` with style={{{unknown[0]}: ...}}, as without them "
                f"this generator knows {', '.join(known)} alone. Pass directions=FILE, which "
                "explore.py writes."
            )
        keys["code"] = code_along(style, known)
    return Painter(network, **keys)


def _by_regions(path: Path | str, shading: Painter | None, **keys: Any) -> RegionPainter:
    from sketch2paint.inference.region_painter import RegionPainter  # it needs torch
    from sketch2paint.models.weights import load_region_network

    return RegionPainter(load_region_network(path)[0], shading=shading, **keys)


def _check_alone(checkpoint: Path | str, region_network: Path | str | None, lines: Lines) -> None:
    """See that a region network as checkpoint is asked for nothing that a generator is for."""
    if region_network:
        raise ValueError(
            f"{checkpoint}: expected a generator to shade what {region_network} colours, got "
            "another region network. Leave one of them out."
        )
    if lines == "network":
        raise ValueError(
            f"{checkpoint}: expected lines=keep with a region network, which paints no lines, got "
            "lines=network. Leave out `lines`."
        )


def _check_generator(checkpoint: Path | str, palette: Palette | None, variations: int) -> None:
    """See that a generator alone is asked for nothing that a region network is for."""
    _check_way(checkpoint, palette is None, "a palette")
    _check_way(checkpoint, variations == 1, "variations")


def _check_way(checkpoint: Path | str, known: bool, key: str) -> None:
    if not known:
        raise ValueError(
            f"{checkpoint}: expected a region network with {key}, got a generator, which paints "
            "each drawing in one way. Pass region_network=RUN, or say colours with hints."
        )
