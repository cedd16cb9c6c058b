"""What is measured besides the ladder: growth, operations, the loader alone, colouring."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from sketch2paint.benchmark.ablation import FULL, Work, flops_of_pair, measure_step, ours
from sketch2paint.benchmark.timing import (
    Figure,
    Measured,
    Table,
    interleave,
    rate_row,
    release,
    seconds_each,
    synchroniser,
)
from sketch2paint.data.datamodule import SketchDataModule, default_workers
from sketch2paint.data.demo import draw_pair
from sketch2paint.files import written_beside
from sketch2paint.inference.jobs import plan_jobs
from sketch2paint.inference.painter import Painter
from sketch2paint.inference.pipeline import paint_files
from sketch2paint.models.description import describe
from sketch2paint.models.networks import UNetGenerator, channels_last
from sketch2paint.models.weights import save_generator


def scale(work: Work, rounds: int, seconds: float) -> list[Table]:
    """The step of training at half the size, the size, and twice the size.

    Raises:
        ValueError: the networks do not take one of the sizes.
    """
    if work.size < 64:
        raise ValueError(
            "Expected `size` to be at least 64 for what=scale, which also takes half of it, got "
            f"{work.size}."
        )
    works = {f"{n}x{n}": replace(work, size=n) for n in (work.size // 2, work.size, work.size * 2)}
    flops = {name: flops_of_pair(one) for name, one in works.items()}
    found = interleave(
        {name: partial(measure_step, ours(one), one, seconds) for name, one in works.items()},
        rounds,
    )
    rows, first = [], [sample.value for sample in found[next(iter(works))].values]
    smallest = next(iter(flops.values()))
    for name, measured in found.items():
        taken = [sample.value for sample in measured.values]
        same = taken and first  # FLOP/s, as multiples of the smallest size's in the same round
        shares = [flops[name] / s / (smallest / f) for s, f in zip(taken, first, strict=False)]
        peaks = [sample.peak / 1e6 for sample in measured.values if sample.peak is not None]
        rows.append(
            {
                "": name,
                "pairs/s": Figure.of([work.batch_size / s for s in taken]) if taken else None,
                "GFLOP a pair": flops[name] / 1e9,
                "FLOP/s, of the first": Figure.of(shares) if same else None,
                "peak MB": max(peaks) if peaks else None,
                "note": measured.note,
            }
        )
    return [Table(f"{FULL}, batch {work.batch_size}, as pictures grow", rows)]


def profile(work: Work, trace: Path | str, count: int = 3) -> list[Table]:
    """The operations of some steps that take longest, and a trace for chrome://tracing.

    Args:
        work: what is trained.
        trace: a .json or .json.gz file.
        count: of steps looked at.
    """
    from torch.profiler import ProfilerActivity

    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # or it tells that there is no GPU
    release(work.device, kept=True)
    step = ours(work).step(work)
    activities = [ProfilerActivity.CPU]
    activities += [ProfilerActivity.CUDA] * (work.device.type == "cuda")
    step()
    with torch.profiler.profile(activities=activities) as found:
        for _ in range(count):
            step()
        synchroniser(work.device)()
    with written_beside(trace) as beside:
        found.export_chrome_trace(str(beside))
    kind = "device" if work.device.type == "cuda" else "cpu"
    own, whole = f"self_{kind}_time_total", f"{kind}_time_total"
    events = sorted(found.key_averages(), key=lambda event: -getattr(event, own))
    total = sum(getattr(event, own) for event in events) or 1.0
    rows = [
        {
            "": event.key[:60],
            "self ms/step": getattr(event, own) / 1e3 / count,
            "share": getattr(event, own) / total,
            "ms/step": getattr(event, whole) / 1e3 / count,
            "calls/step": event.count / count,
        }
        for event in events[:20]
    ]
    title = f"{FULL}, {work.size}x{work.size}, batch {work.batch_size}: time of operations"
    return [Table(title, rows, [f"Trace: {trace}"])]


def pictures_rate(data: SketchDataModule, workers: int, seconds: float) -> float:
    """Training pairs that the loader makes in a second, when nothing else is done.

    Args:
        data: set up.
        workers: loading processes.
        seconds: at least, in which pairs are counted.
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
    sources: Mapping[str, SketchDataModule], batch_sizes: Sequence[int], rounds: int, seconds: float
) -> list[Table]:
    """A table for each batch size: pairs that are loaded in a second, without any network.

    Args:
        sources: the same pairs by where they come from, the cache first; they are set up here.
        batch_sizes: pairs in a batch.
        rounds: of each row, interleaved.
        seconds: of a row in a round, at least.
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
        rows = [rate_row(name, "pairs/s", found, next(iter(tasks))) for name in tasks]
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
    painter = Painter.load(checkpoint, device=device)
    if not isinstance(painter.generator, UNetGenerator) or painter.task.lightness:
        raise ValueError(
            "Expected `checkpoint` to be weights for the task sketch (a run folder, .ckpt or "
            f".safetensors), got {type(painter.generator).__name__} for {painter.task.name}."
        )
    return painter


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
        generator: float32, in eval mode.
        paths: of drawings.
        output: folder for the pictures, of the generator's size.
    """
    device, size = next(generator.parameters()).device, int(generator.size)  # type: ignore[arg-type]
    for path in paths:
        with Image.open(path) as opened:
            drawing = opened.convert("L").resize((size, size), Image.Resampling.BICUBIC)
        x = torch.from_numpy(np.array(drawing, dtype=np.float32)) / 127.5 - 1
        fake = generator(x[None, None].to(device))[0]
        picture = ((fake.float().cpu() + 1) * 127.5).clamp(0, 255).to(torch.uint8)
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(output / path.name)


def _network_alone(painter: Painter, batch_size: int) -> Callable[[], object]:
    """The network in the painter's precision on one batch that lies on the device."""
    network = copy.deepcopy(painter.generator).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    size = painter.generator.size
    x = channels_last(torch.ones(batch_size, 1, size, size, device=painter.device))

    @torch.inference_mode()
    def step() -> object:
        with painter._arithmetic():
            return network(x)

    return step


def predict(
    painter: Painter,
    folder: Path,
    batch_sizes: Sequence[int],
    rounds: int,
    seconds: float,
) -> list[Table]:
    """Drawings coloured in a second, files read and written, beside a plain loop and the network.

    Args:
        painter: of a UNetGenerator for sketches.
        folder: for drawings and pictures.
        batch_sizes: that the network alone is given.
        rounds: of each row, interleaved.
        seconds: of a row in a round, at least.
    """
    count = 128 if painter.device.type == "cpu" else 512
    paths = write_drawings(folder / "in", count, painter.generator.size)
    (folder / "plain").mkdir()
    jobs = plan_jobs([str(folder / "in")], output=str(folder / "out"))
    plain = copy.deepcopy(painter.generator).float()
    plain.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    at_once, wait = 8 if painter.device.type == "cpu" else 32, synchroniser(painter.device)

    def painted() -> None:
        outcomes = list(paint_files(painter, jobs=jobs, batch_size=at_once, overwrite=True))
        failed = [one.error for one in outcomes if one.status != "done"]
        if failed:
            raise ValueError(f"Expected all drawings to be painted, got: {failed[0]}")

    def rate(step: Callable[[], object], pictures: int) -> float:
        release(painter.device)
        return pictures / seconds_each(step, seconds, wait)

    def alone_rate(n: int) -> float:
        return rate(_network_alone(painter, n), n)

    loop, files = "plain loop, float32, one by one", f"paint_files, batch {at_once}"
    alone = {f"network alone, batch {n}": n for n in batch_sizes}
    tasks: dict[str, Callable[[], float]] = {
        loop: lambda: rate(lambda: plain_loop(plain, paths, folder / "plain"), count),
        files: lambda: rate(painted, count),
    }
    for name, n in alone.items():
        tasks[name] = partial(alone_rate, n)
    return [_predict_table(painter, interleave(tasks, rounds), loop, list(alone))]


def _predict_table(
    painter: Painter, found: Mapping[str, Measured[float]], loop: str, alone: Sequence[str]
) -> Table:
    best = max(alone, key=lambda name: median(found[name].values or [0.0]))
    rows = []
    for name in found:
        shares = zip(found[name].values, found[best].values, strict=False)
        share = [rate / most for rate, most in shares]
        row = rate_row(name, "pictures/s", found, loop)
        note = row.pop("note")
        rows.append(
            {**row, "of the network's best": Figure.of(share) if share else None, "note": note}
        )
    size = painter.generator.size
    notes = [f"The painter's precision is {painter.precision}; the plain loop's is float32."]
    return Table(f"Colouring drawings of {size}x{size}", rows, notes)
