"""Colour drawings in the browser: python studio.py [checkpoint=runs/NAME] [single_file=true]"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sketch2paint.arguments import Name
from sketch2paint.verb import verb, working

if TYPE_CHECKING:
    from sketch2paint.web.site import Model


def studio(
    checkpoint: Name | None,
    output: Name,
    single_file: bool,
    serve: bool,
    open: bool,
    port: str | int,
) -> int:
    """Build the studio's page, serve it to this machine alone and open it."""
    _check_port(port)
    from sketch2paint.web.site import check_ours, write_single, write_site

    if not single_file:
        check_ours(output)  # told before the work
    model = exported(checkpoint) if checkpoint else None
    if single_file:
        path = Path(output).with_suffix(".html")
        print(f"Wrote {path}: {write_single(path, model) / 1e6:.1f} MB. Open it in a browser.")
        _show(path.resolve().as_uri(), open)
        return 0
    with working():
        print(f"Wrote {output}/: {write_site(output, model) / 1e6:.1f} MB", flush=True)
    if serve:
        _serve(output, port, open)
    return 0


def exported(checkpoint: str) -> Model:
    """A region network as the page reads it, and the generator beside it that shades flats.

    Args:
        checkpoint: A run folder, .ckpt or .safetensors, or shipped.

    Raises:
        ValueError: it is another network, or the packages of ONNX are missing.
    """
    from sketch2paint.models.loading import networks_in

    there = networks_in(checkpoint)
    if "region_network" not in there:
        raise ValueError(
            f"{checkpoint}: expected a region network, got another one. Pass a run of "
            "model=regions, or checkpoint=null for a page without a network."
        )
    print(f"Exporting {checkpoint}", flush=True)
    model = _region_model(checkpoint)
    return _with_shading(model, checkpoint) if "generator" in there else model


def _region_model(checkpoint: str) -> Model:
    from sketch2paint.commands.export import drawn
    from sketch2paint.models.export import halve_weights
    from sketch2paint.models.export_regions import export_regions
    from sketch2paint.models.onnx_generator import KEY, open_session
    from sketch2paint.web.site import Model

    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        written = export_regions(checkpoint, format="onnx", output=path, drawings=drawn())
        for file in written.files:
            halve_weights(file)
        read, reply = (file.read_bytes() for file in written.files)
        session, _ = open_session(path, reply, "cpu")
    told = json.loads(session.get_modelmeta().custom_metadata_map[KEY])
    about = {key: told[key] for key in ("size", "colours", "temperature", "one_object")}
    about["palettes"] = "palette" in [value.name for value in session.get_inputs()]
    return Model(about, read, reply)


def _with_shading(model: Model, checkpoint: str) -> Model:
    """The model with the file's generator, if it is one that is given a sketch and flats alone."""
    from sketch2paint.commands.export import drawn
    from sketch2paint.models.description import planes_of
    from sketch2paint.models.export import export_generator, halve_weights
    from sketch2paint.models.tasks import FLATS
    from sketch2paint.models.weights import load_generator

    generator, about = load_generator(checkpoint)
    planes = [plane.name for plane in planes_of(about)]
    if planes != ["sketch", FLATS.name] or generator.style_channels:
        return model
    with TemporaryDirectory() as folder:
        path = Path(folder) / "shade.onnx"
        export_generator(checkpoint, format="onnx", output=path, drawings=drawn())
        halve_weights(path)
        shade = path.read_bytes()
    shading = {"size": generator.size, "multiple": generator.multiple}
    return model._replace(about={**model.about, "shading": shading}, shade=shade)


def _check_port(port: str | int) -> None:
    if port != "auto" and (isinstance(port, str) or not 0 <= port < 65536):
        raise ValueError(f"Expected `port` to be auto or a number below 65536, got {port!r}.")


def _serve(folder: str, port: str | int, show: bool) -> None:
    from sketch2paint.web.server import Server

    with Server(folder, port) as server:
        print(f"Studio: {server.url} (for this machine alone; Ctrl+C ends it)", flush=True)
        _show(server.url, show)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("Ended.")


def _show(url: str, show: bool) -> None:
    if show:
        import webbrowser

        webbrowser.open(url)


main = verb(studio)
