"""What every worker does, done beforehand in the process from which hundreds of them are forked.

A forked process pays for each page of memory that it is the first to write to, and an interpreter writes much when a
piece of code is new to it: it counts calls, specialises instructions and fills caches, and libraries set themselves up.
After a rehearsal all that is in the memory that workers share. Nothing of any student is run here.
"""

from __future__ import annotations

import contextlib
import linecache
import random
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gdgrade.language import language, use
from gdgrade.wire.frames import Header, receive_frame, send_frame
from gdgrade.wire.values import Encoder
from gdgrade.worker import loading
from gdgrade.worker.capture import CappedText
from gdgrade.worker.executor import Executor

# Python 3.11 specialises a function from its eighth call on; what does not stay the same it tries some times more.
TIMES = 24
NAME = "gdgrade_rehearsal"
_NUMPY = """
import math
import numpy as np

class Scaled:
    def __init__(self, scale, power=2):
        self.scale, self.power = scale, power

    def __call__(self, x):
        return self.scale * np.abs(x) ** self.power

def step(x, f, eta=0.5):
    return x + eta / 2 * f(x) + math.sqrt(eta) * np.exp(-(x**2).sum(axis=1, keepdims=True))

def several(n, seed=0):
    drawn = np.random.default_rng(seed).normal(size=(n, 2))
    return drawn, float(drawn.mean()), [n, "text"], {"n": n}

def broken(x):
    return x @ x
"""
_TORCH = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2))

    def forward(self, x):
        return self.layers(x)

def moved(x, f, eta=0.5):
    difference = x[:, None] - x[None]
    share = torch.softmax(-(difference**2).sum(-1) / 2, dim=1)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(1), dtype=x.dtype)
    for _ in range(3):
        x = x + eta / 2 * f(x) + math.sqrt(eta) * noise
    return x + (share[..., None] * difference).mean(1)

def gradients(x):
    net = Net()
    loss = net(x).square().mean()
    loss.backward()
    with torch.no_grad():
        return torch.cat([p.grad.flatten() for p in net.parameters()]), loss.item()
"""


def rehearse(times: int = TIMES) -> None:
    """Answer typical requests, `times` over, and forget them."""
    ours, theirs = socket.socketpair()
    with ours, theirs, _undone():
        for _ in range(times):
            executor = Executor(CappedText())
            for header, blobs in _requests():
                send_frame(ours, header, blobs)
                answer, results = executor.execute(receive_frame(theirs))
                send_frame(theirs, answer, results)
                receive_frame(ours)


def _requests() -> Iterator[tuple[Header, list[bytes | memoryview]]]:
    """Headers and blobs as a judge would send them."""
    torch: Any = sys.modules.get("torch")
    source = _NUMPY + (_TORCH if torch is not None else "")
    load = {"op": "load", "name": NAME, "filename": f"{NAME}.py", "torch": torch is not None, "language": language()}
    yield {**load, "seconds": 60.0}, [source.encode()]

    def request(name: str, *args: Any) -> tuple[Header, list[bytes | memoryview]]:
        encoder = Encoder(_shipped)
        asked = {"args": encoder.encode(list(args)), "kwargs": encoder.encode({}), "seconds": 60.0}
        dtype = "float64" if torch is not None else None
        return {"op": "call", "fn": ["name", name], "dtype": dtype, **asked}, encoder.blobs

    points = np.linspace(-1.0, 1.0, 6).reshape(3, 2)
    yield request("step", points, _negative, 0.5)
    yield request("several", 4)
    yield request("broken", points)
    yield request("Scaled", 2.0)
    if torch is not None:
        tensor = torch.from_numpy(points)
        yield request("moved", tensor, _negative, 0.5)
        yield request("gradients", tensor)
        yield request("Net")


def _negative(x: Any) -> Any:
    return -x


def _shipped(encoder: Encoder, value: Callable[..., Any]) -> Any:
    import cloudpickle

    return {"!": "code", "blob": encoder.add_blob(cloudpickle.dumps(value)), "spy": 0}


@contextlib.contextmanager
def _undone() -> Iterator[None]:
    """What a request changes for the whole process is as before afterwards."""
    torch: Any = sys.modules.get("torch")
    spoken = language()
    drawn = random.getstate(), np.random.get_state()  # noqa: NPY002 - a file may draw from it before it is seeded
    if torch is not None:
        dtype, torch_drawn = torch.get_default_dtype(), torch.get_rng_state()
    try:
        yield
    finally:
        use(spoken)
        random.setstate(drawn[0])
        np.random.set_state(drawn[1])  # noqa: NPY002
        if torch is not None:
            torch.set_default_dtype(dtype)
            torch.set_rng_state(torch_drawn)
        sys.modules.pop(NAME, None)
        linecache.cache.pop(f"{NAME}.py", None)
        loading.forget_compiled()
