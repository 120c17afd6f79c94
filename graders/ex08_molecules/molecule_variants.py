"""Other right networks, and wrong answers that only a training can tell: for the calibration."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gdgrade.judge.reference import load_reference


def network(ref: Any, act: Any, raw_time: bool, tanh: bool, small_start: bool, gate: bool) -> type:
    """An EGNN class in the manner of public code: edge lists in place of broadcasting, the layers' own habits.

    Args:
        act: class of the activation.
        raw_time: t/100 is one more feature, in place of sines and cosines.
        tanh: the size of a move is bounded, as in the EDM authors' code.
        small_start: the last weights of phi_x start near zero.
        gate: messages are weighed by a learned number between 0 and 1.
    """

    class Layer(nn.Module):
        def __init__(self, n: int) -> None:
            super().__init__()
            self.edge = nn.Sequential(nn.Linear(2 * n + 1, n), act(), nn.Linear(n, n), act())
            self.gate = nn.Sequential(nn.Linear(n, 1), nn.Sigmoid())
            last = nn.Linear(n, 1, bias=False)
            if small_start:
                nn.init.xavier_uniform_(last.weight, gain=0.001)
            self.push = nn.Sequential(nn.Linear(n, n), act(), last, *([nn.Tanh()] if tanh else []))
            self.node = nn.Sequential(nn.Linear(2 * n, n), act(), nn.Linear(n, n))

        def forward(self, h: Any, x: Any, mask: Any = None) -> Any:
            M = x.shape[1]
            i, j = [k.flatten() for k in torch.meshgrid(torch.arange(M), torch.arange(M), indexing="ij")]
            i, j = i[i != j], j[i != j]
            way = x[:, i] - x[:, j]
            squared = way.square().sum(-1, keepdim=True)
            m = self.edge(torch.cat([h[:, i], h[:, j], squared], -1))
            m = m * self.gate(m) if gate else m
            moves = way / (squared.sqrt() + 1) * self.push(m)
            x_out = x + torch.zeros_like(x).index_add(1, i, moves) / max(M - 1, 1)
            total = torch.zeros_like(h).index_add(1, i, m)
            return h + self.node(torch.cat([h, total], -1)), x_out

    class EGNN(nn.Module):
        def __init__(self, hidden: int = 32, n_layers: int = 3, h_dim: int = 1) -> None:
            super().__init__()
            self.h_dim = h_dim
            self.start = nn.Linear(h_dim + (1 if raw_time else 16), hidden)
            self.layers = nn.ModuleList(Layer(hidden) for _ in range(n_layers))

        def forward(self, x_t: Any, t: Any, h: Any = None) -> Any:
            B, M, _ = x_t.shape
            h = torch.ones(B, M, self.h_dim, dtype=x_t.dtype) if h is None else h.to(x_t.dtype)
            time = t.to(x_t.dtype)[:, None] / 100
            if not raw_time:
                angles = time * 2 ** torch.arange(8, dtype=x_t.dtype)
                time = torch.cat([angles.sin(), angles.cos()], 1)
            h, x = self.start(torch.cat([h, time[:, None].expand(B, M, time.shape[1])], -1)), x_t
            for layer in self.layers:
                h, x = layer(h, x)
            return ref.remove_mean(x - x_t)

    return EGNN


def right(reference: Path, exercise: str) -> dict[str, types.ModuleType]:
    """Modules like the reference with another network."""
    settings = {
        "right: edge lists": (nn.SiLU, False, False, False, False),
        "right: raw time, relu": (nn.ReLU, True, False, False, False),
        "right: bounded, small start, gates": (nn.SiLU, False, True, True, True),
        "right: raw time, gates": (nn.SiLU, True, False, False, True),
    }
    found = {}
    for name, setting in settings.items():
        module = load_reference(reference, exercise, "right")
        module.EGNN = network(module, *setting)
        found[name] = module
    return found


def wrong(reference: Path, exercise: str) -> dict[str, types.ModuleType]:
    """Modules like the reference that train too rarely, or whose network cannot do what it must."""
    lazy = load_reference(reference, exercise, "lazy")
    full, count = lazy.ddpm_loss_com, [0]

    def ddpm_loss_com(*args: Any, **kwargs: Any) -> Any:
        count[0] += 1
        return full(*args, **kwargs) * (1.0 if count[0] % 20 == 0 else 0.0)

    lazy.ddpm_loss_com = ddpm_loss_com
    confined = load_reference(reference, exercise, "confined")
    base = confined.EGNN

    class Confined(base):
        def forward(self, x_t: Any, t: Any, h: Any = None, mask: Any = None) -> Any:
            return 0.5 * confined.remove_mean(torch.tanh(super().forward(x_t, t, h, mask)))

    confined.EGNN = Confined
    return {"wrong: one step of twenty": lazy, "wrong: confined answer": confined}
