"""Pictures in a second besides training: the loader alone, and colouring."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from sketch2paint.benchmark.ablation import Work
from sketch2paint.benchmark.timing import (
    Figure,
    Rounds,
    Table,
    interleave,
    rate_row,
    release,
    seconds_each,
    synchroniser,
)
from sketch2paint.data.datamodule import SketchDataModule, default_workers
from sketch2paint.data.demo import draw_pair
from sketch2paint.inference.jobs import plan_jobs
from sketch2paint.inference.painter import Painter
from sketch2paint.inference.pipeline import paint_files
from sketch2paint.models.description import describe, planes_of
from sketch2paint.models.loading import load
from sketch2paint.models.networks import UNetGenerator, channels_last
from sketch2paint.models.weights import save_generator


def pictures_rate(data: SketchDataModule, workers: int, seconds: float) -> float:
    """Training pairs that the loader makes in a second, when nothing else is done.

    Args:
        data: Pairs, set up.
        workers: Number of loading processes.
        seconds: Time in which pairs are counted, at least.
    """
    data.num_workers = workers
    loader = data.train_dataloader()

    def batches() -> Iterator[Any]:
        while True:
            yield from loader

    endless = batches()
    for _ in range(2 * workers + 1):  # as many as are made ahead
        next(endless)
    start, pairs = time.perf_counter(), 0
    while (taken := time.perf_counter() - start) < seconds or not pairs:
        pairs += len(next(endless)["pictures"])
    return pairs / taken


def loader(
    sources: Mapping[str, SketchDataModule],
    *,
    batch_sizes: Sequence[int],
    rounds: int,
    seconds: float,
) -> list[Table]:
    """A table for each batch size: pairs that are loaded in a second, without any network.

    Args:
        sources: Data modules of the same pairs by where these come from, the cache first; they are
            set up here.
        batch_sizes: Numbers of pairs in a batch.
        rounds: Number of interleaved rounds that count.
        seconds: Time of a row in a round, at least.
    """
    tables = []
    for data in sources.values():
        data.setup("fit")
    for batch_size in batch_sizes:
        tasks = {}
        for name, data in sources.items():
            data.batch_size = batch_size
            for workers in sorted({0, 1, 2, default_workers()}):
                tasks[f"{name}, num_workers={workers}"] = partial(
                    pictures_rate, data, workers, seconds
                )
        found = interleave(tasks, rounds)
        first = next(iter(tasks))
        rows = [rate_row(name, unit="pairs/s", found=found, reference=first) for name in tasks]
        size = next(iter(sources.values())).size
        note = f"Where num_workers is not given it is {default_workers()} here."
        tables.append(Table(f"Loader alone, {size}x{size}, batch {batch_size}", rows, [note]))
    return tables


def load_painter(work: Work, checkpoint: str | None) -> Painter:
    """A painter of a checkpoint, or of a fresh network of the size and width.

    Raises:
        ValueError: it is no UNetGenerator for sketches.
    """
    device = str(work.device)
    if checkpoint is None:
        return Painter(fresh_generator(work), device=device)
    generator, about = load(checkpoint, device=device)
    if not isinstance(generator, UNetGenerator) or about["task"] != "sketch":
        raise ValueError(
            "Expected `checkpoint` to be weights for the task sketch (a run folder, .ckpt or "
            f".safetensors), got {type(generator).__name__} for {about['task']}."
        )
    return Painter(generator, planes=planes_of(about), device=device)


def fresh_generator(work: Work) -> UNetGenerator:
    """A generator as it begins, in eval mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return UNetGenerator(size=work.size, base_channels=work.base_channels).eval()


def save_fresh(work: Work, path: Path) -> None:
    """Write the weight file of `fresh_generator`."""
    about = describe({"size": work.size, "base_channels": work.base_channels}, "sketch")
    save_generator(path, fresh_generator(work).state_dict(), about)


def write_drawings(folder: Path, count: int, size: int) -> list[Path]:
    """Draw demo sketches of size x size as PNG files; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:04d}.png" for number in range(count)]
    for number, path in enumerate(paths):
        Image.fromarray(draw_pair(0, number, size)[1]).save(path)
    return paths


@torch.no_grad()
def plain_loop(generator: nn.Module, paths: Sequence[Path], output: Path) -> None:
    """Colour drawings one by one in plain torch and PIL, as a short script does.

    Args:
        generator: Network in float32 and in eval mode.
        paths: Files of the drawings.
        output: Folder for the pictures, which have the generator's size.
    """
    device, size = next(generator.parameters()).device, int(generator.size)  # type: ignore[arg-type]
    for path in paths:
        with Image.open(path) as opened:
            drawing = opened.convert("L").resize((size, size), Image.Resampling.BICUBIC)
        x = torch.from_numpy(np.array(drawing, dtype=np.float32)) / 127.5 - 1
        fake = generator(x[None, None].to(device))[0]
        picture = ((fake.float().cpu() + 1) * 127.5).clamp(0, 255).to(torch.uint8)
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(output / path.name)


def without_network(painter: Painter) -> Painter:
    """The painter with a copy of the drawing for its network: what is left is all other work."""
    other = copy.copy(painter)
    other.generate = lambda batch: batch["sketch"].expand(-1, 3, -1, -1)  # type: ignore[method-assign]
    return other


def _copied(painter: Painter) -> UNetGenerator:
    """A copy of the painter's network, to be run by itself."""
    assert isinstance(painter.generator, UNetGenerator)
    return copy.deepcopy(painter.generator)


def _network_alone(painter: Painter, batch_size: int) -> Callable[[], object]:
    """The network in the painter's precision on one batch that lies on the device."""
    network = _copied(painter).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    size = painter.generator.size
    x = channels_last(torch.ones(batch_size, 1, size, size, device=painter.device))

    @torch.inference_mode()
    def step() -> object:
        with painter.arithmetic():
            return network(x)

    return step


def predict(
    painter: Painter,
    *,
    folder: Path,
    batch_sizes: Sequence[int],
    rounds: int,
    seconds: float,
) -> list[Table]:
    """Drawings coloured in a second, files read and written, beside a plain loop and the network.

    Args:
        painter: Painter with a UNetGenerator for sketches.
        folder: Folder for drawings and pictures.
        batch_sizes: Numbers of pictures that the network alone is given.
        rounds: Number of interleaved rounds that count.
        seconds: Time of a row in a round, at least.
    """
    on_cpu = painter.device.type == "cpu"
    count, at_once = (128, 8) if on_cpu else (512, 32)
    paths = write_drawings(folder / "in", count, painter.generator.size)
    wait = synchroniser(painter.device)

    def rate(step: Callable[[], object], pictures: int) -> float:
        release(painter.device)
        return pictures / seconds_each(step, at_least=seconds, synchronise=wait)

    def alone_rate(n: int) -> float:
        return rate(_network_alone(painter, n), n)

    loop, files = "plain loop, float32, one by one", f"paint_files, batch {at_once}"
    floor = "paint_files, a copy for the network"
    alone = {f"network alone, batch {n}": n for n in batch_sizes}
    tasks: dict[str, Callable[[], float]] = {
        loop: partial(rate, _plain(painter, paths, folder / "plain"), count),
        files: partial(rate, _painting(painter, folder / "out", at_once), count),
        floor: partial(rate, _painting(without_network(painter), folder / "copy", at_once), count),
        **{name: partial(alone_rate, n) for name, n in alone.items()},
    }
    return [_predict_table(painter, interleave(tasks, rounds), loop, list(alone))]


def _plain(painter: Painter, paths: Sequence[Path], output: Path) -> Callable[[], object]:
    """`plain_loop` with the painter's weights."""
    output.mkdir()
    generator = _copied(painter).float()
    generator.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return partial(plain_loop, generator, paths, output)


def _painting(painter: Painter, output: Path, batch_size: int) -> Callable[[], object]:
    """`paint_files` from in/ beside the output."""
    jobs = plan_jobs([str(output.parent / "in")], output=str(output))

    def step() -> None:
        outcomes = list(paint_files(painter, jobs=jobs, batch_size=batch_size, overwrite=True))
        failed = [one.error for one in outcomes if one.status != "done"]
        if failed:
            raise ValueError(f"Expected all drawings to be painted, got: {failed[0]}")

    return step


def _predict_table(
    painter: Painter, found: Mapping[str, Rounds[float]], loop: str, alone: Sequence[str]
) -> Table:
    best = max(alone, key=lambda name: median(found[name].values or [0.0]))
    rows = []
    for name in found:
        shares = zip(found[name].values, found[best].values, strict=False)
        share = [rate / most for rate, most in shares]
        row = rate_row(name, unit="pictures/s", found=found, reference=loop)
        note = row.pop("note")
        rows.append(
            {**row, "of the network's best": Figure.of(share) if share else None, "note": note}
        )
    size = painter.generator.size
    notes = [f"The painter's precision is {painter.precision}; the plain loop's is float32."]
    return Table(f"Colouring drawings of {size}x{size}", rows, notes)
