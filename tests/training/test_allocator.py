"""Memory that training frees is used again, not asked for anew."""

import platform
import subprocess

import pytest

from tests import warm

ROUNDS = """
import resource, torch
from symbotunes.training.allocator import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(2**22)  # 16 MiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

usual = faults()
assert keep_freed_memory()
faults()
print(usual, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked")
def test_a_tensor_takes_the_pages_of_the_one_before(tmp_path):
    program = tmp_path / "main.py"
    program.write_text(ROUNDS)
    done = subprocess.run(
        [warm.python(), str(program)], capture_output=True, text=True, check=True, timeout=600
    )
    usual, kept = map(int, done.stdout.split())
    assert kept < usual / 10
