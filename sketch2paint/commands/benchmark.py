"""Measure speed: python benchmark.py what=step|loader|fit|predict|start [json=FILE]"""

from __future__ import annotations

import time
from math import isinf
from typing import Any, Literal

from sketch2paint.arguments import DataKeys, Name, one_of
from sketch2paint.verb import build, verb, words_of_job

What = Literal["step", "loader", "fit", "predict", "start"]
SEVERAL = ("step", "loader", "predict")  # of these a table has several batch sizes by default


def benchmark(
    data: DataKeys,
    what: What,
    device: str,
    size: int,
    batch_size: int | list[int] | None,
    base_channels: int,
    precision: Literal["auto", "bf16-mixed", "32-true"],
    repeats: int,
    seconds: float,
    clock: Literal["wall", "cpu"],
    threads: int | None,
    matrix: int | None,
    compile: bool,
    checkpoint: Name | None,
    json: Name | None,
    seed: int,
) -> int:
    """Print tables of what is asked for, and write them as JSON."""
    keys = {
        "data": data, "what": what, "device": device, "size": size, "batch_size": batch_size,
        "base_channels": base_channels, "precision": precision, "repeats": repeats,
        "seconds": seconds, "clock": clock, "threads": threads, "matrix": matrix,
        "compile": compile, "checkpoint": checkpoint, "json": json, "seed": seed,
    }  # fmt: skip
    batch_sizes = _check(what, batch_size, repeats, seconds, threads, matrix)
    import torch

    from sketch2paint.benchmark import timing
    from sketch2paint.device import choose_device

    if threads:
        torch.set_num_threads(threads)
    place = choose_device(device)
    tables = _tables({**keys, "batch_size": batch_sizes}, place)
    found = timing.report(what, keys=keys, device=place, tables=tables)
    print(timing.text_report(found, tables))
    if json:
        timing.write_json(json, found)
        print(f"Wrote {json}")
    return 0


def _tables(keys: dict[str, Any], device: Any) -> list[Any]:
    """What `what` asks for."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from sketch2paint.benchmark import ablation, processes, rates

    what, batch_sizes = keys["what"], keys["batch_size"]
    timed = {"rounds": keys["repeats"], "seconds": keys["seconds"]}
    work = ablation.Work(
        device,
        size=keys["size"],
        batch_size=batch_sizes[0],
        base_channels=keys["base_channels"],
        chosen_precision=keys["precision"],
    )
    if what == "step":
        clock = time.process_time if keys["clock"] == "cpu" else time.perf_counter
        given = {"side": keys["matrix"], "compiled": keys["compile"], "clock": clock}
        return ablation.steps(work, batch_sizes=batch_sizes, **given, **timed)
    with TemporaryDirectory(prefix="sketch2paint-") as name:
        folder = Path(name)
        if what == "start":
            return processes.start(work, folder, keys["repeats"])
        if what == "predict":
            painter = rates.load_painter(work, keys["checkpoint"])
            return rates.predict(painter, folder=folder, batch_sizes=batch_sizes, **timed)
        cached, files, words = _sources(
            {**keys["data"], "size": work.size}, work.batch_size, folder
        )
        if what == "fit":
            return processes.fit(work, data=cached, overrides=words, folder=folder, **timed)
        return rates.loader({"cache": cached, "files": files}, batch_sizes=batch_sizes, **timed)


def _sources(data: dict[str, Any], batch_size: int, folder: Any) -> tuple[Any, Any, list[str]]:
    """The pairs from a cache of their own and from their files; train.py's words for the cache."""
    from pathlib import Path

    from sketch2paint.shell import quoted

    overrides = [word for word in words_of_job() if word.startswith(("data=", "data."))]
    own = {"cache": "require", "cache_dir": str(folder / "cache")}
    if data["draw"] and not Path(data["root"]).exists():
        own["root"] = str(folder / "demo")  # leaves nothing behind
    common = {**data, **own, "batch_size": batch_size}
    cached = build(common)
    files = build({**common, "cache": "off"})
    cached.prepare_data()
    cached.build_cache()
    own_words = (f"data.{key}={quoted(value)}" for key, value in own.items())
    return cached, files, [*overrides, *own_words, f"seed={data['seed']}"]


def _check(
    what: str,
    batch_size: int | list[int] | None,
    repeats: int,
    seconds: float,
    threads: int | None,
    matrix: int | None,
) -> list[int]:
    """The batch sizes; what else is wrong is told by what takes it."""
    one_of("what", what, What)
    if batch_size is None:
        batch_size = [1, 4, 16] if what in SEVERAL else [4]
    sizes = batch_size if isinstance(batch_size, list) else [batch_size]
    if not sizes or not all(type(size) is int and size > 0 for size in sizes):
        raise ValueError(
            f"Expected `batch_size` to be whole numbers above 0, got {batch_size}. "
            "Pass batch_size=4, or batch_size=1,4,16."
        )
    if len(sizes) > 1 and what not in SEVERAL:
        raise ValueError(
            f"Expected one `batch_size` for what={what}, got {batch_size}. Pass one of them."
        )
    for name, value in (("repeats", repeats), ("threads", threads), ("matrix", matrix)):
        if value is not None and value < 1:
            raise ValueError(f"Expected `{name}` to be at least 1, got {value}.")
    if not seconds > 0:  # nor NaN
        raise ValueError(f"Expected `seconds` above 0, got {seconds}.")
    if isinf(seconds):
        raise ValueError(f"Expected `seconds` to be finite, got {seconds}.")
    return sizes


main = verb(benchmark, several="batch_size")
