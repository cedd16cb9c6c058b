import subprocess
import sys

import pytest
import torch

from sketch2paint.device import (
    has_bf16,  # bound before conftest.py replaces it
    has_fast_bf16,
    shared_threads,
    training_memory_format,
    training_precision,
)


@pytest.mark.parametrize("avx512", [False, True])
@pytest.mark.parametrize("amx", [False, True])
def test_bf16_by_instructions(monkeypatch, avx512, amx):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    assert has_bf16() == (avx512 or amx)


def test_no_bf16_where_torch_cannot_tell(monkeypatch):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert not has_bf16()


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
def test_kept_memory_costs_no_page_faults():
    program = (
        "import resource, torch; from sketch2paint.device import keep_memory\n{}\n"
        "faults = []\n"
        "for _ in range(20):\n"
        "    torch.ones(16, 2**20)\n"
        "    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)\n"
        "print(faults[-1] - faults[-6])"
    )
    kept, given_back = (
        int(subprocess.check_output([sys.executable, "-c", program.format(call)]))
        for call in ("keep_memory()", "")
    )
    assert kept < 100
    assert given_back > 10 * max(kept, 1)


def with_gpu(monkeypatch, capability):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)


@pytest.mark.parametrize(
    ("capability", "precision"),
    [((9, 0), "bf16-mixed"), ((8, 0), "bf16-mixed"), ((7, 5), "16-mixed"), ((6, 1), "32-true")],
)
def test_precision_by_capability(monkeypatch, capability, precision):
    with_gpu(monkeypatch, capability)
    assert training_precision("gpu") == precision


@pytest.mark.parametrize(("has_bf16", "precision"), [(True, "bf16-mixed"), (False, "32-true")])
def test_precision_on_a_cpu(monkeypatch, has_bf16, precision):
    monkeypatch.setattr("sketch2paint.device.has_bf16", lambda: has_bf16)
    assert training_precision("cpu") == precision
    assert training_precision("mps") == "32-true"


@pytest.mark.parametrize(
    ("accelerator", "precision", "capability", "expected"),
    [
        ("cpu", "bf16-mixed", "AVX512", "channels_last"),
        ("cpu", "bf16-mixed", "AVX2", "channels_last"),
        ("cpu", "32-true", "AVX512", "channels_last"),
        ("cpu", "32-true", "AVX2", "contiguous"),
        ("cpu", "32-true", "DEFAULT", "contiguous"),
        ("gpu", "32-true", "AVX2", "channels_last"),
    ],
)
def test_memory_format_by_instructions(monkeypatch, accelerator, precision, capability, expected):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert training_memory_format(accelerator, precision)[0] == expected


def test_bf16_by_device(monkeypatch):
    monkeypatch.setattr("sketch2paint.device.has_bf16", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert has_fast_bf16(torch.device("cpu"))
    assert not has_fast_bf16(torch.device("cuda")) and not has_fast_bf16(torch.device("mps"))


def test_threads_are_shared_out_and_come_back():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        with pytest.raises(ValueError, match="inside"), shared_threads(2) as pool:
            assert list(pool.map(lambda _: torch.get_num_threads(), range(4))) == [2, 2, 2, 2]
            raise ValueError("inside")
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)
