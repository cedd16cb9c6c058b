"""Export a network: python export.py checkpoint=runs/NAME format=onnx output=generator.onnx"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sketch2paint.arguments import Name
from sketch2paint.verb import verb

if TYPE_CHECKING:
    from sketch2paint.models.export import Comparison
    from sketch2paint.models.export_regions import RegionsComparison

MOST = 24  # drawings to compare with


def export(
    checkpoint: Name,
    region_network: Name | None,
    format: Literal["onnx", "torchscript", "torch_export", "safetensors", "model"],
    output: Name,
    dtype: str,
    opset: int,
    drawings: Name | None,
    name: Name | None,
    licence: Name | None,
    attribution: Name | None,
) -> int:
    """Write a network for other programs and compare the file with PyTorch."""
    from sketch2paint.models.loading import networks_in

    there = networks_in(checkpoint)
    told = {"name": name, "licence": licence, "attribution": attribution}
    _check(format, {"region_network": region_network, **told}, both=len(there) > 1)
    told |= {"attribution": Path(attribution).read_text("utf-8") if attribution else None}
    print(f"Exporting {checkpoint} as {format}, then comparing the file with PyTorch", flush=True)
    keys: dict[str, Any] = {"output": output, "dtype": dtype}
    keys["drawings"] = _read(drawings) if drawings else drawn()
    if format == "model":
        about = {key: value for key, value in told.items() if value}
        _export_model(checkpoint, {**keys, "region_network": region_network, **about})
        return 0
    keys |= {"format": format, "opset": opset}
    if there != {"region_network"}:
        _export_generator(checkpoint, keys)
    if "region_network" in there:
        _export_regions(checkpoint, keys)
    return 0


def _check(format: str, of_models: dict[str, str | None], *, both: bool) -> None:
    """See that what only a model can hold goes into one."""
    given = [key for key, value in of_models.items() if value]
    if given and format != "model":
        raise ValueError(
            f"Expected no `{given[0]}` with format={format}, whose file holds one network and its "
            "description alone. Leave it out, or pass format=model."
        )
    if both and format == "safetensors":
        raise ValueError(
            "Expected one network for format=safetensors, got a model of two. Pass format=model."
        )


def _export_generator(checkpoint: str, keys: dict[str, Any]) -> None:
    from sketch2paint.models.export import export_generator

    measured = export_generator(checkpoint, **keys)
    _print_size(Path(keys["output"]), keys["dtype"])
    _print_generator(measured)


def _export_regions(checkpoint: str, keys: dict[str, Any]) -> None:
    from sketch2paint.models.export_regions import export_regions

    measured = export_regions(checkpoint, **keys)
    for file in measured.files:
        _print_size(file, keys["dtype"])
    _print_regions(measured)


def _export_model(checkpoint: str, keys: dict[str, Any]) -> None:
    from sketch2paint.models.export_model import export_model

    generator, regions = export_model(checkpoint, **keys)
    _print_size(Path(keys["output"]), keys["dtype"])
    if generator:
        _print_generator(generator)
    if regions:
        _print_regions(regions)


def _print_generator(measured: Comparison) -> None:
    from sketch2paint.models.export import LIMIT

    print(
        f"Largest difference from PyTorch on {measured.drawings} drawings: "
        f"{measured.levels:.3f} of 255 levels"
    )
    print(
        f"One picture on this CPU: {measured.seconds:.3f} s, "
        f"PyTorch float32: {measured.torch_seconds:.3f} s"
    )
    if measured.levels > LIMIT:
        print(f"warning: it differs by more than {LIMIT:g} of 255 levels; look at its pictures.")


def _print_regions(measured: RegionsComparison) -> None:
    print(
        f"Largest difference from PyTorch on {measured.drawings} drawings: "
        f"{measured.levels:.3f} of 255 levels, {measured.same:.4f} in what is one object"
    )
    for doing, (seconds, torch_seconds) in (
        ("Reading a drawing", measured.reading),
        ("Answering for it", measured.replying),
    ):
        print(f"{doing} on this CPU: {seconds:.4f} s, PyTorch float32: {torch_seconds:.4f} s")


def _print_size(file: Path, dtype: str) -> None:
    print(f"{file}: {file.stat().st_size / 1e6:.1f} MB, {dtype}")


def drawn() -> list[Any]:
    """Drawings of the demo, and their colours, which a network for photographs is to see."""
    from sketch2paint.data.demo import draw_pair

    return [picture for index in range(3) for picture in draw_pair(0, index, 256)]


def _read(drawings: str) -> list[Any]:
    """The pictures of a folder, at most MOST, or one picture."""
    from sketch2paint.images.formats import find_pictures
    from sketch2paint.images.io import read_rgb

    if not Path(drawings).exists():
        raise FileNotFoundError(
            f"{drawings}: no such picture or folder. Pass drawings=null for drawn ones."
        )
    paths = find_pictures(drawings) if Path(drawings).is_dir() else [Path(drawings)]
    if not paths:
        raise ValueError(f"{drawings}: expected a folder with pictures, found none.")
    return [read_rgb(path) for path in paths[:MOST]]


main = verb(export)
