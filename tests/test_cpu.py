import subprocess
import sys

import pytest
import torch

from sketch2paint.cpu import has_bf16  # bound before conftest.py replaces it


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
        "import resource, torch; from sketch2paint.cpu import keep_memory\n{}\n"
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
