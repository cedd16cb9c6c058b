"""What a CPU needs to be told, or asked, to be fast."""

from __future__ import annotations

import ctypes
import sys

import torch

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's mallopt


def has_bf16() -> bool:
    """Whether convolutions in bfloat16 are faster here: AVX-512 BF16 (Zen 4) or AMX (Xeon 2023)."""
    asked = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in asked)


def keep_memory() -> None:
    """Let this process keep the memory it frees, where its C library is glibc.

    The buffers of a step have the sizes of those before; given back to the system each time, they
    would come back as fresh pages, one page fault for every 4 kB.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
