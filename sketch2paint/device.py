"""What a device has, and what it needs to be told to be fast."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # who asks for what torch has imports it; an .onnx file needs none
    import torch

MemoryFormat = Literal["channels_last", "contiguous"]
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's mallopt


def choose_device(name: str) -> torch.device:
    """A device that is there.

    Args:
        name: Name as torch has it, or auto: a GPU if there is one, else the CPU.

    Raises:
        ValueError: it is not there.
    """
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:  # torch has an error of its own for each way in which a device is not there
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(f"Expected `device` to be usable, got {name!r}: {error}") from error
    return device


def has_bf16() -> bool:
    """Whether convolutions in bfloat16 are faster here: AVX-512 BF16 (Zen 4) or AMX (Xeon 2023)."""
    import torch

    asked = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in asked)


def has_fast_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 on a device."""
    if device.type == "cuda":
        import torch

        return torch.cuda.is_bf16_supported()
    return device.type == "cpu" and has_bf16()


def training_precision(accelerator: str) -> str:
    """The fastest precision that this machine's devices have and training tolerates.

    Args:
        accelerator: Lightning's name: cpu, gpu, cuda, mps.

    Returns:
        bf16-mixed, 16-mixed or 32-true.
    """
    import torch

    if accelerator == "cpu":
        return "bf16-mixed" if has_bf16() else "32-true"
    if accelerator not in ("gpu", "cuda") or not torch.cuda.is_available():
        return "32-true"
    capability = torch.cuda.get_device_capability()
    if capability >= (8, 0):
        return "bf16-mixed"
    return "16-mixed" if capability >= (7, 0) else "32-true"


def training_memory_format(accelerator: str, precision: str) -> tuple[MemoryFormat, str]:
    """The order of memory that measures best for training here, and why (benchmarks/speed.md).

    Args:
        accelerator: Lightning's name: cpu, gpu, cuda, mps.
        precision: Lightning's name: 32-true, bf16-mixed.

    Returns:
        channels_last or contiguous, and the reason in words.
    """
    if accelerator != "cpu":
        return "channels_last", f"as on every {accelerator}"
    if precision.startswith("bf16"):
        return "channels_last", "bfloat16 on a CPU"
    import torch

    instructions = torch.backends.cpu.get_cpu_capability()
    if instructions == "AVX512":
        return "channels_last", "float32 with AVX-512"
    return "contiguous", f"float32 without AVX-512 ({instructions})"


def available_cores() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def thread_count() -> int:
    """The threads that torch computes on; before it is imported, as many as it would have."""
    if torch := sys.modules.get("torch"):
        return torch.get_num_threads()
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(asked)) if asked.isdecimal() else available_cores()


@contextmanager
def shared_threads(workers: int) -> Iterator[ThreadPoolExecutor]:
    """A pool whose workers share out torch's threads; what is waiting at the end is cancelled.

    Args:
        workers: Number of Python threads; each computes on an equal share of torch's, if torch has
            been imported.
    """
    torch, threads = sys.modules.get("torch"), thread_count()
    share = max(1, threads // workers)
    begin = (torch.set_num_threads, (share,)) if torch else (None, ())
    pool = ThreadPoolExecutor(workers, "", *begin)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        if torch:
            torch.set_num_threads(threads)  # threads that begin later take what was set last in any


def is_out_of_memory(error: Exception) -> bool:
    """Whether torch or Python says that memory did not suffice."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return "not enough memory" in str(error) or "can't allocate memory" in str(error)


def keep_memory() -> None:
    """Let this process keep the memory it frees, where its C library is glibc.

    The buffers of a step have the sizes of those before; given back to the system each time, they
    would come back as fresh pages, one page fault for every 4 kB.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
