"""Export a generator: python export.py checkpoint=runs/NAME format=onnx output=generator.onnx"""

from __future__ import annotations

from pathlib import Path

from sketch2paint.verb import verb


def export(
    checkpoint: str,
    format: str,
    output: str,
    dtype: str,
    opset: int,
    drawings: str | None,
) -> int:
    """Write a generator for other programs and compare the file with PyTorch."""
    from sketch2paint.models.export import LIMIT, export_generator

    print(f"Exporting {checkpoint} as {format}, then comparing the file with PyTorch", flush=True)
    measured = export_generator(checkpoint, format, output, dtype, opset, drawings)
    print(f"{output}: {Path(output).stat().st_size / 1e6:.1f} MB, {dtype}")
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
    return 0


main = verb(export)
