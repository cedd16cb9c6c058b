"""The one way from weight files to what paints with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketch2paint.inference.painter import Lines, Painter, Precision
from sketch2paint.inference.picture_painter import Normalise
from sketch2paint.models.loading import is_region_network

if TYPE_CHECKING:
    from sketch2paint.inference.region_painter import RegionPainter


def load_painter(
    checkpoint: Path | str,
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
) -> Painter | RegionPainter:
    """Read a generator, a region network, or both, for painting.

    Args:
        checkpoint: Run folder or file of either kind of network.
        region_network: Run folder or file of a region network, which names the colours; the
            generator of `checkpoint` shades them then.
        device, precision, scale, tile, lines, normalise, flats, colours, gap: As Painter's.

    Raises:
        FileNotFoundError: there are no weights.
        ValueError: a damaged or foreign file, no such device, or a bad parameter.
    """
    common: dict[str, Any] = {"normalise": normalise, "colours": colours, "gap": gap}
    alone = is_region_network(checkpoint)
    if alone and region_network:
        raise ValueError(
            f"{checkpoint}: expected a generator to shade what {region_network} colours, got "
            "another region network. Leave one of them out."
        )
    if alone and lines == "network":
        raise ValueError(
            f"{checkpoint}: expected lines=keep with a region network, which paints no lines, got "
            "lines=network. Leave out `lines`."
        )
    if not alone:
        generator = {"device": device, "precision": precision, "scale": scale, "tile": tile}
        plain = {"flats": flats, **common} if region_network is None else {"normalise": "off"}
        shading = Painter.load(checkpoint, lines=lines, **generator, **plain)  # type: ignore[arg-type]
        if region_network is None:
            return shading
    from sketch2paint.inference.region_painter import RegionPainter  # it needs torch
    from sketch2paint.models.weights import load_region_network

    network, _ = load_region_network(region_network or checkpoint)
    return RegionPainter(
        network,
        shading=None if alone else shading,
        device=device,
        flats=flats,
        **common,
    )
