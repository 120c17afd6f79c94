"""Part 8.2: the standard normal density of the subspace."""

import math

import torch
from molecule_oracles import clouds, in_basis

from gdgrade.checks import agrees, check

WORDS = "one log-density per molecule"


@check("8.2", points=0.75)
def test_values(student, draw):
    """The log-density is that of as many normal numbers as there are free directions."""

    def by_hand(x):
        free = in_basis(x)
        return torch.stack([sum(-0.5 * value**2 - 0.5 * math.log(2 * math.pi) for value in row) for row in free])

    for B, M in ((4, 5), (3, 2), (1, 9)):
        agrees(student.log_prob_com_gaussian, by_hand, clouds(draw, B, M), name="log-density", means=WORDS)


@check("8.2", points=0.5)
def test_at_the_mode(student):
    """With all atoms in one place, and with a single atom, the log-density is what is left of the constant."""

    def constant(x):
        return torch.full((len(x),), -1.5 * (x.shape[1] - 1) * math.log(2 * math.pi))

    for B, M in ((2, 3), (3, 6), (2, 1)):
        agrees(student.log_prob_com_gaussian, constant, torch.zeros(B, M, 3), name="log-density", means=WORDS)


@check("8.2", points=0.25, visibility="hidden")
def test_turned(student, draw):
    """Turning a molecule, or exchanging its atoms, does not change its density."""
    x = clouds(draw, 3, 4)
    turned = (x @ draw.orthogonal(3).T)[:, draw.permutation(4)]

    def of_the_unturned(_):
        free = in_basis(x)
        return -0.5 * free.square().sum(1) - 0.5 * free.shape[1] * math.log(2 * math.pi)

    agrees(student.log_prob_com_gaussian, of_the_unturned, turned, name="log-density of the turned", means=WORDS)
