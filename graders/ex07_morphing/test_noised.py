"""Part 7.7, optional: the score of a noised sample."""

import torch

from gdgrade.checks import agrees, check

VECTORS = "one vector per point"
# Every Gaussian underflows there; the nearer points come first, lest the largest hide errors of the others.
FAR = torch.tensor([[60.0, 0.0], [-45.0, 50.0], [1e3, 0.0]], dtype=torch.float64)


@check("7.7", points=1)
def test_gradient_of_blurred_density(student, draw):
    """The score is the gradient of the logarithm of the blurred sample's density."""
    for n, m, d in ((6, 4, 2), (3, 7, 3), (2, 1, 2)):
        inputs = draw.normal(n, d, scale=1.5), draw.normal(m, d), 0.7
        agrees(student.noised_score, by_autograd, *inputs, name="score", means=VECTORS)


@check("7.7", points=0.5)
def test_scales(student, draw):
    """Twice as long in every length, the arrows are half as long."""
    x, y = draw.normal(5, 2), draw.normal(6, 2)
    halved = by_autograd(x, y, 0.4) / 2

    def law(x, y, sigma):
        return halved

    agrees(student.noised_score, law, 2 * x, 2 * y, 0.8, name="score", means=VECTORS)


@check("7.7", points=0.5, visibility="hidden")
def test_far_away(student, draw):
    """Far from the sample the score is finite and points at the nearest point."""
    y = torch.tensor([[-1.0, 0.5], [1.0, 1.0], [0.0, -1.5]])

    def law(x, y, sigma):
        return (y[(x[:, None] - y).square().sum(-1).argmin(1)] - x) / sigma**2

    for x in FAR:
        agrees(student.noised_score, law, x[None], y, 0.5, name="score", means=VECTORS)


# ---- what the checks know by themselves


def by_autograd(x, y, sigma):
    """The gradient of log p_sigma, with the density summed as it stands, (n, d)."""
    x = x.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        density = torch.exp(-(x[:, None] - y).square().sum(-1) / (2 * sigma**2)).sum(1)
        return torch.autograd.grad(density.log().sum(), x)[0]
