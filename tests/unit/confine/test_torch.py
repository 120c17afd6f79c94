"""Positive control: what a course needs must work in a confined worker, or a perfect sandbox would be useless."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import gdgrade.confine

pytest.importorskip("numpy")

PROGRAM = """
import json, os, sys, tempfile
import torch
from gdgrade.confine import Limits, Policy, confine, default_readable, prepare

torch.set_num_threads(1)
prepared = prepare(Policy(sys.argv[1], default_readable(), Limits(cpu_seconds=120, memory_bytes=2 << 30)))
scratch = tempfile.mkdtemp(dir=sys.argv[2])
read, write = os.pipe()

def work():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.Flatten(), torch.nn.Linear(144, 2))
    optimizer = torch.optim.Adam(net.parameters())  # imports lazily
    data = torch.utils.data.DataLoader(torch.randn(16, 1, 8, 8), batch_size=8, num_workers=0)
    for batch in data:
        optimizer.zero_grad()
        loss = net(batch).square().mean()
        loss.backward()
        optimizer.step()
    torch.set_num_threads(2)
    product = torch.randn(400, 400) @ torch.randn(400, 400)
    torch.linalg.svd(product[:50, :50])
    torch.save(net.state_dict(), "net.pt")
    net.load_state_dict(torch.load("net.pt"))
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
    import numpy as np
    np.savez("arrays.npz", a=np.eye(2))
    import zoneinfo
    zoneinfo.ZoneInfo("UTC")
    return [bool(torch.isfinite(product).all()), sorted(os.listdir("."))]

if os.fork() == 0:
    try:
        reached = confine(prepared, scratch=scratch, keep_fds=[write])
        try:
            answer = work()
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(write, json.dumps([reached.level, answer]).encode())
    finally:
        os._exit(0)
os.close(write)
print(os.read(read, 65536).decode())
"""


def test_torch_works_in_a_confined_worker(tmp_path):
    """Convolution, autograd, Adam, two threads, SVD, save and load, temporary files and late imports all work."""
    pytest.importorskip("torch")
    source = Path(gdgrade.confine.__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, "best", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        env={"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
    )
    assert ended.returncode == 0, ended.stderr
    level, answer = json.loads(ended.stdout)
    assert answer[0] is True
    assert {"arrays.npz", "net.pt"} <= set(answer[1])
    assert level in ("A+", "A", "B", "C", "D")
