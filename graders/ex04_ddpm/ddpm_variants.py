"""Other right U-Nets, and wrong ones that only a training can tell: for the calibration."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from gdgrade.judge.reference import load_reference


def plain_net(time_embedding: Any, c: int, act: Any, zero_last: bool, transposed: bool, add: bool) -> type:
    """A U-Net class in the manner of many tutorials: strided convolutions down, no shortcuts inside the blocks.

    Args:
        c: channels at full size.
        act: activation.
        zero_last: the last convolution starts at zero.
        transposed: transposed convolutions on the way up, instead of nearest neighbours.
        add: skips are added, not concatenated.
    """

    class Double(nn.Module):
        def __init__(self, c_in: int, c_out: int) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(c_in, c_out, 3, padding=1), nn.Conv2d(c_out, c_out, 3, padding=1)
            self.norm, self.time = nn.GroupNorm(4, c_out), nn.Linear(32, c_out)

        def forward(self, x: Any, code: Any) -> Any:
            h = act(self.norm(self.first(x)) + self.time(code)[:, :, None, None])
            return act(self.second(h))

    class UNet(nn.Module):
        def __init__(self, c: int = c) -> None:
            super().__init__()
            self.a, self.b, self.m = Double(1, c), Double(c, 2 * c), Double(2 * c, 2 * c)
            self.down_a, self.down_b = nn.Conv2d(c, c, 3, 2, 1), nn.Conv2d(2 * c, 2 * c, 3, 2, 1)
            self.up_b = nn.ConvTranspose2d(2 * c, 2 * c, 2, 2) if transposed else nn.Upsample(scale_factor=2)
            self.up_a = nn.ConvTranspose2d(c, c, 2, 2) if transposed else nn.Upsample(scale_factor=2)
            self.y, self.z = Double(2 * c if add else 4 * c, c), Double(c if add else 2 * c, c)
            self.last = nn.Conv2d(c, 1, 1)
            if zero_last:
                nn.init.zeros_(self.last.weight)
                nn.init.zeros_(self.last.bias)

        def forward(self, x: Any, t: Any) -> Any:
            code = time_embedding(t, 32).to(x.dtype)
            a = self.a(x, code)
            b = self.b(self.down_a(a), code)
            m = self.up_b(self.m(self.down_b(b), code))
            y = self.up_a(self.y(m + b if add else torch.cat([m, b], 1), code))
            return self.last(self.z(y + a if add else torch.cat([y, a], 1), code))

    return UNet


def right(reference: Path, exercise: str) -> dict[str, types.ModuleType]:
    """Modules like the reference with another U-Net."""
    settings = {
        "right: strided, relu": (16, F.relu, False, False, False),
        "right: transposed, zero start": (16, F.silu, True, True, False),
        "right: added skips": (24, F.gelu, False, False, True),
        "right: narrow": (12, F.silu, False, False, False),
    }
    found = {}
    for name, setting in settings.items():
        module = load_reference(reference, exercise, "right")
        module.UNet = plain_net(module.time_embedding, *setting)
        found[name] = module
    return found


def wrong(reference: Path, exercise: str) -> dict[str, types.ModuleType]:
    """Modules like the reference with a U-Net that cannot learn, or a loss that trains too rarely."""
    linear = load_reference(reference, exercise, "linear")
    linear.UNet = plain_net(linear.time_embedding, 16, lambda h: h, False, False, False)
    clipped = load_reference(reference, exercise, "clipped")
    base = clipped.UNet

    class Clipped(base):
        def forward(self, x: Any, t: Any) -> Any:
            return torch.tanh(super().forward(x, t))

    clipped.UNet = Clipped
    lazy = load_reference(reference, exercise, "lazy")
    full, count = lazy.ddpm_loss, [0]

    def ddpm_loss(*args: Any, **kwargs: Any) -> Any:
        count[0] += 1
        return full(*args, **kwargs) * (1.0 if count[0] % 15 == 0 else 0.0)

    lazy.ddpm_loss = ddpm_loss
    return {"wrong: linear": linear, "wrong: clipped output": clipped, "wrong: too few steps": lazy}
