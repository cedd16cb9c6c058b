"""Measure speed: python benchmark.py what=step|scale|loader|fit|predict|... [json=FILE]"""

from __future__ import annotations

from typing import Any

from sketch2paint.verb import verb

WHATS = ("step", "scale", "loader", "fit", "predict", "start", "profile")
SEVERAL = ("step", "loader", "predict")  # of these a table has several batch sizes by default


def benchmark(
    data: dict[str, Any],
    what: str,
    device: str,
    size: int,
    batch_size: int | list[int] | None,
    base_channels: int,
    repeats: int,
    seconds: float,
    threads: int | None,
    matrix: int | None,
    compile: bool,
    checkpoint: str | None,
    trace: str,
    json: str | None,
    seed: int,
) -> int:
    """Print tables of what is asked for, and write them as JSON."""
    keys = dict(locals())
    batch_sizes = _check(what, batch_size, repeats, seconds, threads, matrix)
    import torch

    from sketch2paint.benchmark import timing as measure
    from sketch2paint.inference.painter import choose_device

    if threads:
        torch.set_num_threads(threads)
    place = choose_device(device)
    tables = _tables({**keys, "batch_size": batch_sizes}, place)
    found = measure.report(what, keys, place, tables)
    print(measure.text_report(found, tables))
    if json:
        measure.write_json(json, found)
        print(f"Wrote {json}")
    return 0


def _tables(keys: dict[str, Any], device: Any) -> list[Any]:
    """What `what` asks for."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from sketch2paint.benchmark import ablation as ladder
    from sketch2paint.benchmark import processes as runs
    from sketch2paint.benchmark import rates as others

    what, batch_sizes = keys["what"], keys["batch_size"]
    rounds, seconds = keys["repeats"], keys["seconds"]
    work = ladder.Work(device, keys["size"], batch_sizes[0], keys["base_channels"])
    if what == "step":
        return ladder.steps(work, batch_sizes, rounds, seconds, keys["matrix"], keys["compile"])
    if what == "scale":
        return others.scale(work, rounds, seconds)
    if what == "profile":
        return others.profile(work, keys["trace"])
    with TemporaryDirectory(prefix="sketch2paint-") as name:
        folder = Path(name)
        if what == "start":
            return runs.start(work, folder, rounds)
        if what == "predict":
            painter = others.load_painter(work, keys["checkpoint"])
            return others.predict(painter, folder, batch_sizes, rounds, seconds)
        cached, files, words = _sources(
            {**keys["data"], "size": work.size}, work.batch_size, folder
        )
        if what == "fit":
            return runs.fit(work, cached, words, folder, rounds, seconds)
        sources = {"cache": cached, "files": files}
        return others.loader(sources, batch_sizes, rounds, seconds)


def _sources(data: dict[str, Any], batch_size: int, folder: Any) -> tuple[Any, Any, list[str]]:
    """The pairs from a cache of their own and from their files; train.py's words for the cache."""
    from pathlib import Path

    from hydra.core.hydra_config import HydraConfig
    from hydra.utils import instantiate

    from sketch2paint.shell import quoted

    given = HydraConfig.get().overrides.task
    overrides = [word for word in given if word.startswith(("data=", "data."))]
    own = {"cache": "require", "cache_dir": str(folder / "cache")}
    if data["draw"] and not Path(data["root"]).exists():
        own["root"] = str(folder / "demo")  # leaves nothing behind
    common = {**data, **own, "batch_size": batch_size}
    cached = instantiate(common, _convert_="all")
    files = instantiate({**common, "cache": "off"}, _convert_="all")
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
    if what not in WHATS:
        raise ValueError(f"Expected `what` to be one of {', '.join(WHATS)}, got {what!r}.")
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
    if seconds <= 0:
        raise ValueError(f"Expected `seconds` above 0, got {seconds}.")
    return sizes


main = verb(benchmark, several="batch_size")
