"""One file with a generator, a region network or both: what comes with the package is one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sketch2paint.arguments import one_of
from sketch2paint.files import written_beside
from sketch2paint.models.description import (
    PartName,
    WeightType,
    describe,
    describe_regions,
    planes_of,
    style_of,
)
from sketch2paint.models.export import LIMIT, Comparison, NotAlike, compare_generator, stacked
from sketch2paint.models.export_regions import RegionsComparison, compare_regions, parts_of
from sketch2paint.models.loading import networks_in
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.region_network import RegionNetwork
from sketch2paint.models.weights import Described, load_generator, load_region_network, save_model

Networks = dict[PartName, Described]


class ModelComparison(NamedTuple):
    """How the networks in a file compare with those that it was made of.

    Attributes:
        generator: Of the generator; None: there is none.
        regions: Of the region network; None: there is none.
    """

    generator: Comparison | None
    regions: RegionsComparison | None


def export_model(
    checkpoint: Path | str,
    *,
    output: Path | str,
    drawings: Sequence[np.ndarray],
    region_network: Path | str | None = None,
    dtype: WeightType = "float16",
    name: str = "",
    licence: str = "",
    attribution: str = "",
) -> ModelComparison:
    """Write a generator, a region network or both into one file, read it and compare.

    The file is a checkpoint like others: it paints with what it holds.

    Args:
        checkpoint: A run folder, .ckpt or .safetensors of either kind of network or of both.
        output: File .safetensors; an older one is replaced.
        drawings: Pictures to compare with, (H, W) or (H, W, 3) uint8; at least one.
        region_network: Where the region network comes from; None: from `checkpoint`, if it has one.
        dtype: Type of the weights in the file, float32 | float16.
        name: Name of the model.
        licence: Licence of the weights.
        attribution: Words on whose pictures it was trained on.

    Raises:
        FileNotFoundError: there are no weights.
        ValueError: a parameter is wrong, or in float32 the file paints otherwise; nothing is left.
    """
    output = Path(output)
    one_of("dtype", dtype, WeightType)
    if output.suffix != ".safetensors":
        raise ValueError(
            f"Expected `output` to be a .safetensors file for format=model, got {output}."
        )
    networks = _networks(checkpoint, region_network)
    with written_beside(output) as beside:
        told = {"name": name, "licence": licence, "attribution": attribution}
        save_model(beside, networks, dtype=dtype, **told)
        measured = _compared(networks, beside, drawings)
        unlike = [one.levels for one in measured if one and not one.levels <= LIMIT]  # nor NaN
        if dtype == "float32" and unlike:
            raise NotAlike(
                f"{output}: expected the file to paint as its networks do, got a difference of "
                f"{unlike[0]:.2f} of 255 levels; it is not kept. Start again."
            )
    return measured


def _networks(checkpoint: Path | str, region_network: Path | str | None) -> Networks:
    """The networks that belong together, each with its description."""
    there, found = networks_in(checkpoint), Networks()
    if region_network and there == {"region_network"}:
        raise ValueError(
            f"{checkpoint}: expected a generator to go beside {region_network}, got another region "
            "network. Leave one of them out."
        )
    if there != {"region_network"}:
        generator, about = load_generator(checkpoint)
        task, planes, style = about["task"], planes_of(about), style_of(about)
        told = describe(about["generator"], task, planes, style=style)
        found["generator"] = generator, told
    if region_network or "region_network" in there:
        network, about = load_region_network(region_network or checkpoint)
        found["region_network"] = network, describe_regions(about["network"])
    return found


def _compared(networks: Networks, file: Path, drawings: Sequence[np.ndarray]) -> ModelComparison:
    generator, regions = None, None
    if "generator" in networks:
        network, about = networks["generator"]
        assert isinstance(network, UNetGenerator)
        read = stacked(load_generator(file)[0], len(planes_of(about)))
        about = {**about, "style_channels": network.style_channels}
        generator = compare_generator(network, read, drawings, about)
    if "region_network" in networks:
        network, _ = networks["region_network"]
        assert isinstance(network, RegionNetwork)
        regions = compare_regions(network, parts_of(load_region_network(file)[0]), drawings)
    return ModelComparison(generator, regions)
