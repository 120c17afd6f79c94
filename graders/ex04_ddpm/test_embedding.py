"""Part 4.7: the code of the time."""

import torch

from gdgrade.checks import agrees, check


def by_hand(t, dim):
    """Number by number."""
    half = dim // 2
    angles = torch.stack([torch.stack([time.double() / 10000 ** (k / half) for k in range(half)]) for time in t])
    return torch.cat([wave(angles) for wave in (torch.sin, torch.cos)], dim=1)


@check("4.7", points=0.5)
def test_values(student):
    """Sines and cosines have the frequencies asked for, in the order asked for."""
    t = torch.tensor([0, 1, 5, 23, 199])
    agrees(student.time_embedding, by_hand, t, 6, name="code of the time", means="one code of length dim per sample")


@check("4.7", points=0.5, visibility="hidden")
def test_other_sizes(student, draw):
    """The code is right for other lengths and batches."""
    for n, dim in ((1, 2), (3, 32), (64, 64)):
        t = draw.integers(0, 150, n)
        # 150 radians times the rounding of frequencies that were computed by exp and log
        agrees(student.time_embedding, by_hand, t, dim, name="code of the time", rtol=1e-7)
