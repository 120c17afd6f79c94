"""Part 1.2: the divergence of q(z|x) from the prior."""

import math

import torch

from gdgrade.checks import agrees, check


@check("1.2", points=1)
def test_by_hand(student):
    """The divergence is right where it can be worked out by hand, and 0 at the prior."""
    words = "one number per image"
    mu = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, -0.5], [0.0, 0.0]], dtype=torch.float64)
    logvar = torch.tensor([[0.0, 0.0], [0.0, 0.0], [0.3, -1.0], [math.log(4.0), 0.0]], dtype=torch.float64)
    third = (math.exp(0.3) + 1 - 1 - 0.3 + math.exp(-1) + 0.25 - 1 + 1) / 2  # 0.8339
    expected = torch.tensor([0.0, 0.5, third, 1.5 - math.log(2)], dtype=torch.float64)
    agrees(student.kl_diag_gaussian, lambda mu, logvar: expected, mu, logvar, name="the KL", means=words)


@check("1.2", points=1)
def test_any_size(student, reference, draw):
    """The divergence is right for random Gaussians in 1, 2 and 5 dimensions, in batches of 1 and 7."""
    for rows, d in ((7, 5), (1, 2), (7, 1), (1, 1)):
        mu = draw.normal(rows, d, scale=1.5)
        logvar = draw.uniform(rows, d, low=-13.0, high=3.0)  # a trained encoder says -6, and less
        agrees(
            student.kl_diag_gaussian, reference.kl_diag_gaussian, mu, logvar,
            name="the KL", means="one number per image",
        )  # fmt: skip
