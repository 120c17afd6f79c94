"""Part 6.1: transport without an algorithm, on the line and between Gaussians."""

import torch
from sinkhorn_readings import recorded

from gdgrade.checks import agrees, check

NUMBER = "one number"


@check("6.1", points=1)
def test_wasserstein_1d(student, reference, draw):
    """W1 of two samples in no particular order is the mean distance of their best pairs."""
    for n, mean in [(7, -0.4), (4, 1.0), (1, 2.0)]:
        u, v = draw.normal(n, scale=3.0), draw.normal(n)
        u = u - u.mean() + v.mean() + mean  # wider and hardly shifted: some mass moves left, some right
        agrees(student.wasserstein_1d, reference.wasserstein_1d, u, v, name="W1", means=NUMBER)


def common_axes(m1, S1, m2, S2):
    """W2 squared where S1 and S2 have the same eigenvectors: distances of means and of standard deviations."""
    v1, axes = torch.linalg.eigh(S1)
    v2 = (axes.T @ S2 @ axes).diagonal()
    return (m1 - m2).square().sum() + (v1.sqrt() - v2.sqrt()).square().sum()


@check("6.1", points=0.5)
def test_gaussians_with_common_axes(student, draw):
    """Between Gaussians with the same axes, W2 squared is that of the means plus that of the deviations."""
    for d in (3, 1):
        # Clearly different variances and near means: a wrong term must not drown in the right ones.
        v1, v2 = torch.tensor([0.4, 1.0, 2.2])[:d], torch.tensor([0.7, 2.5, 4.0])[:d]
        axes, v1, v2 = draw.orthogonal(d), v1 * draw.uniform(d, low=0.9), v2 * draw.uniform(d, low=0.9)
        S1, S2 = (axes * v1) @ axes.T, (axes * v2) @ axes.T
        S1, S2 = (S1 + S1.T) / 2, (S2 + S2.T) / 2
        m1, m2 = draw.normal(d, scale=0.5), draw.normal(d, scale=0.5)
        agrees(student.w2_gaussians, common_axes, m1, S1, m2, S2, name="W2 squared", means=NUMBER)


@check("6.1", points=1, visibility="hidden")
def test_any_gaussians(student, reference, draw):
    """Between Gaussians whose covariances do not commute, W2 squared is right; values of POT among them."""
    for d in (2, 5):
        S1, S2 = draw.spd(d, low=0.2, high=4.0), draw.spd(d, low=0.2, high=4.0)
        args = (draw.normal(d, scale=0.5), S1, draw.normal(d, scale=0.5), S2)
        agrees(student.w2_gaussians, reference.w2_gaussians, *args, name="W2 squared", means=NUMBER)
    pot = recorded("gaussians")

    def recorded_value(*args):
        return pot["w2_squared"]

    args = (pot["m1"], pot["S1"], pot["m2"], pot["S2"])
    agrees(student.w2_gaussians, recorded_value, *args, name="W2 squared", means=NUMBER)
