"""How long things take: interleaved rounds, the machine and its limit, tables as text and JSON."""

from __future__ import annotations

import ctypes
import gc
import json
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch

from sketch2paint import __version__
from sketch2paint.device import (
    M_MMAP_MAX,
    M_TRIM_THRESHOLD,
    available_cores,
    has_fast_bf16,
    is_out_of_memory,
    keep_memory,
)
from sketch2paint.files import written_beside
from sketch2paint.tables import aligned

T = TypeVar("T")
Clock = Callable[[], float]
M_MMAP_THRESHOLD = -3  # of glibc's mallopt, beside those in device.py
LARGEST_THRESHOLD = 32 * 2**20  # where glibc's own, which grows with what is freed, ends


class Unavailable(Exception):
    """This machine does not have what is to be measured; the message says why."""


@dataclass(frozen=True)
class Figure:
    """The median of several measurements, with the smallest and the largest."""

    median: float
    min: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """Summarise one or more measurements."""
        return cls(statistics.median(values), min(values), max(values))


@dataclass
class Rounds(Generic[T]):
    """What one task gave in each round that counts; or nothing, and a note why.

    Attributes:
        values: Measurements in the order of the rounds.
        note: Reason why there are none.
        too_large: Whether memory did not suffice.
    """

    values: list[T] = field(default_factory=list)
    note: str = ""
    too_large: bool = False


def interleave(
    tasks: Mapping[str, Callable[[], T]], rounds: int, warm_up: int = 1
) -> dict[str, Rounds[T]]:
    """Run tasks in turn, A B A B, so that a change of the machine meets all of them.

    Args:
        tasks: Functions by name; each returns what it measured.
        rounds: Number of rounds that count.
        warm_up: Number of rounds before them, which do not.

    Returns:
        What the rounds gave, by name. A task that raises Unavailable, or that memory does not
        suffice for, is left out of the rounds that follow.
    """
    found: dict[str, Rounds[T]] = {name: Rounds() for name in tasks}
    gc.collect()
    gc.freeze()  # or each collection of a round would walk through all that is imported
    try:
        for number in range(-warm_up, rounds):
            for name, task in tasks.items():
                if not found[name].note:
                    _run(task, found[name], counts=number >= 0)
    finally:
        gc.unfreeze()
    return found


def _run(task: Callable[[], T], found: Rounds[T], counts: bool) -> None:
    try:
        value = task()
    except Unavailable as why:
        found.values, found.note = [], str(why)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        found.values, found.note, found.too_large = [], "out of memory", True
    else:
        found.values += [value] if counts else []


def largest_fitting(attempt: Callable[[int], object], batch_size: int) -> int:
    """Halve a batch that does not fit in memory until it does; 0: not even one pair fits."""
    while batch_size := batch_size // 2:
        try:
            attempt(batch_size)
            return batch_size
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
    return 0


def seconds_each(
    step: Callable[[], object],
    *,
    at_least: float,
    synchronise: Callable[[], object] = bool,
    clock: Clock = time.perf_counter,
) -> float:
    """Seconds of one call, after a first one that does not count.

    Args:
        step: Function that is called 1, 2, 4, ... times before the clock is looked at.
        at_least: Seconds until which it is called again.
        synchronise: Function that waits until the device has done what it was given.
        clock: Function that tells the time in seconds.
    """
    step()
    synchronise()
    calls, chunk, start = 0, 1, clock()
    while True:
        for _ in range(chunk):
            step()
        synchronise()
        calls, chunk = calls + chunk, 2 * chunk
        if (seconds := clock() - start) >= at_least:
            return seconds / calls


def synchroniser(device: torch.device) -> Callable[[], object]:
    """What waits for a device; a CPU is done when a call returns."""
    if device.type == "cuda":
        return lambda: torch.cuda.synchronize(device)
    return torch.mps.synchronize if device.type == "mps" else bool


def release(device: torch.device, kept: bool = False) -> None:
    """Give free memory back to the system, and choose how this process goes on with it.

    Args:
        device: Device whose caches are emptied.
        kept: Whether freed memory is kept, as in training (keep_memory), or left to glibc.
    """
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if device.type == "cpu" and hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt"):
        assert libc is not None
        libc.malloc_trim(0)
        if kept:
            keep_memory()
        else:
            libc.mallopt(M_MMAP_MAX, 65536)
            libc.mallopt(M_MMAP_THRESHOLD, LARGEST_THRESHOLD)
            libc.mallopt(M_TRIM_THRESHOLD, 2 * LARGEST_THRESHOLD)


def forget_peak(device: torch.device) -> None:
    """Let `peak_memory` begin anew."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif device.type == "cpu" and sys.platform == "linux":
        try:
            Path("/proc/self/clear_refs").write_text("5")  # proc(5): VmHWM is what is in use now
        except OSError:
            pass  # not allowed in some sandboxes: the peak is the process's then


def peak_memory(device: torch.device) -> float | None:
    """Bytes at most since `forget_peak`: a GPU's of torch's tensors, on Linux the process's."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    return peak_of_process("self") if device.type == "cpu" else None


def peak_of_process(process: int | str) -> float | None:
    """Bytes that a process had in memory at most, where Linux tells it of one still running.

    Not `ru_maxrss`: after a vfork that begins with the parent's peak.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return 1024.0 * int(found[0]) if found else None


def product_rate(
    device: torch.device,
    *,
    dtype: torch.dtype,
    side: int | None,
    at_least: float,
    clock: Clock = time.perf_counter,
) -> float:
    """FLOP/s of a product of two large square matrices: what the device can do at all.

    Args:
        device: Device that computes.
        dtype: Type of the matrices; float32 on a GPU is TF32, as in torch's convolutions.
        side: Side of the matrices; None: 4096 on a CPU, 8192 elsewhere.
        at_least: Seconds until which the product is computed again.
        clock: Function that tells the time in seconds.
    """
    side = side or (4096 if device.type == "cpu" else 8192)
    a, b = (torch.ones(side, side, device=device, dtype=dtype) for _ in range(2))
    out, before = torch.empty_like(a), torch.get_float32_matmul_precision()
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    try:
        step, wait = lambda: torch.mm(a, b, out=out), synchroniser(device)
        return 2 * side**3 / seconds_each(step, at_least=at_least, synchronise=wait, clock=clock)
    finally:
        if device.type == "cuda":
            torch.set_float32_matmul_precision(before)


def machine(device: torch.device) -> dict[str, Any]:
    """CPU, cores this process may use, threads of torch, memory in GB, GPU."""
    found: dict[str, Any] = {
        "cpu": _cpu_model(),
        "cores": available_cores(),
        "threads": torch.get_num_threads(),
    }
    if hasattr(os, "sysconf"):
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        found["memory_gb"] = round(pages / 1e9, 1)
    found["bf16"] = has_fast_bf16(device)
    if device.type == "cuda":
        about = torch.cuda.get_device_properties(device)
        found |= {"gpu": about.name, "gpu_memory_gb": round(about.total_memory / 1e9, 1)}
    return {**found, "device": str(device), "system": platform.platform()}


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def versions() -> dict[str, str | None]:
    """Of Python, this project and what its speed depends on."""
    packages = ("torch", "pytorch-lightning", "numpy", "opencv-python-headless", "pillow")
    return {
        "sketch2paint": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "cuda": torch.version.cuda,
    }


@dataclass(frozen=True)
class Table:
    """Rows of what was measured.

    Attributes:
        title: Name of what was measured.
        rows: Cells by column, in the order of the columns: text, numbers, Figures or None.
        notes: Lines below, with what the reader has to know.
    """

    title: str
    rows: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The table with aligned columns: the first to the left, the others to the right."""
        columns = list(self.rows[0])
        cells = [[_cell(row[column]) for column in columns] for row in self.rows]
        return "\n".join([self.title, aligned([columns, *cells]), *self.notes])


def _cell(value: Any) -> str:
    if isinstance(value, Figure):
        return f"{_number(value.median)} ({_number(value.min)}-{_number(value.max)})"
    if isinstance(value, (int, float)):
        return _number(value)
    return "-" if value is None else str(value)


def _number(value: float) -> str:
    """Three digits, without an exponent in between 0.0001 and 10**15."""
    if abs(value) >= 100 and math.isfinite(value):
        return f"{value:.0f}"
    return f"{value:.3g}"


def rate_row(
    name: str, *, unit: str, found: Mapping[str, Rounds[float]], reference: str
) -> dict[str, Any]:
    """A row of a table: a rate and, round for round, its ratio to that of another row.

    Args:
        name: Name of the row.
        unit: Heading of the rate's column.
        found: Rates of all rows, by name.
        reference: Name of the row that the ratio is to.
    """
    taken, base = found[name].values, found[reference].values
    ratios = [rate / other for rate, other in zip(taken, base, strict=False)]
    return {
        "": name,
        unit: Figure.of(taken) if taken else None,
        "ratio": Figure.of(ratios) if ratios else None,
        "note": found[name].note,
    }


def report(
    what: str, *, keys: Mapping[str, Any], device: torch.device, tables: Sequence[Table]
) -> dict[str, Any]:
    """All of a benchmark as plain data: machine, versions, date, keys and tables.

    Args:
        what: Name of what was measured.
        keys: Values of all keys of the command.
        device: Device that was measured.
        tables: Tables as they are printed.
    """
    return {
        "what": what,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": sys.argv,
        "keys": dict(keys),
        "machine": machine(device),
        "versions": versions(),
        "tables": [asdict(table) for table in tables],
    }


def text_report(found: Mapping[str, Any], tables: Sequence[Table]) -> str:
    """What `report` found as the lines that are printed."""
    about = [
        ", ".join(f"{name} {value}" for name, value in found[key].items() if value is not None)
        for key in ("machine", "versions")
    ]
    return "\n\n".join(["\n".join([found["date"], *about]), *(table.text() for table in tables)])


def write_json(path: Path | str, found: Mapping[str, Any]) -> None:
    """Write what `report` found, whole or not at all."""
    with written_beside(path) as beside:
        beside.write_text(json.dumps(found, indent=1), "utf-8")
