"""Export a network: python export.py checkpoint=runs/NAME format=onnx output=generator.onnx"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sketch2paint.arguments import Name
from sketch2paint.verb import verb

MOST = 24  # drawings to compare with


def export(
    checkpoint: Name,
    format: str,
    output: Name,
    dtype: str,
    opset: int,
    drawings: Name | None,
) -> int:
    """Write a network for other programs and compare the file with PyTorch."""
    from sketch2paint.models.loading import is_region_network

    print(f"Exporting {checkpoint} as {format}, then comparing the file with PyTorch", flush=True)
    keys = {"format": format, "output": output, "dtype": dtype, "opset": opset}
    seen = _read(drawings) if drawings else drawn()
    if is_region_network(checkpoint):
        _export_regions(checkpoint, {**keys, "drawings": seen})
    else:
        _export_generator(checkpoint, {**keys, "drawings": seen})
    return 0


def _export_generator(checkpoint: str, keys: dict[str, Any]) -> None:
    from sketch2paint.models.export import LIMIT, export_generator

    measured = export_generator(checkpoint, **keys)
    _print_size(Path(keys["output"]), keys["dtype"])
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


def _export_regions(checkpoint: str, keys: dict[str, Any]) -> None:
    from sketch2paint.models.export_regions import export_regions

    measured = export_regions(checkpoint, **keys)
    for file in measured.files:
        _print_size(file, keys["dtype"])
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
