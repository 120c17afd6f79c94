"""Part 5.1: log-density and score of a mixture of round Gaussians."""

import math

import torch
from langevin_oracles import array_of

from gdgrade.checks import agrees, check, close

MEANS = torch.tensor([[-2.0, 0.0], [1.5, 1.0], [0.5, -2.0]], dtype=torch.float64)
WEIGHTS = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
ONE = torch.ones(1, dtype=torch.float64)
SIZES = [(7, 3), (1, 4), (2, 2)]  # (points, components): unequal; one point; as many of each as coordinates
# Every density underflows there. The nearer points come first: among numbers of a million an error of one in the
# log-density could pass for rounding.
FAR = torch.tensor([[60.0, 0.0], [-45.0, 50.0], [1e3, 0.0], [-1e4, 50.0]], dtype=torch.float64)
NUMBERS, VECTORS = "one number per point", "one vector per point"


@check("5.1", points=0.5)
def test_log_prob_of_one_gaussian(student, draw):
    """For a single component the log-density is the textbook's."""
    x, means = draw.normal(5, 2, scale=2.0), draw.normal(1, 2)
    agrees(student.gmm_log_prob, textbook_log_prob, x, means, 0.6, ONE, name="log-density", means=NUMBERS)


@check("5.1", points=0.5)
def test_log_prob_of_mixture(student, reference, draw):
    """The log-density of a mixture with uneven weights is right at random points."""
    for n_points, n_components in SIZES:
        x, means = draw.normal(n_points, 2, scale=1.5), draw.normal(n_components, 2, scale=1.5)
        inputs = x, means, 0.7, draw.weights(n_components)
        agrees(student.gmm_log_prob, reference.gmm_log_prob, *inputs, name="log-density", means=NUMBERS)


@check("5.1", points=0.5, visibility="hidden")
def test_density_integrates_to_one(student):
    """The density adds up to one over the plane."""
    # The trapezoidal rule: with 1.6 spacings per standard deviation its error is below 1e-20 here.
    points, area = grid()
    values = array_of(student.gmm_log_prob(points, MEANS, 0.8, WEIGHTS), points.shape[:1], "log-density")
    close(values.exp().sum() * area, 1.0, "total mass", rtol=1e-5)


@check("5.1", points=0.5)
def test_log_prob_far_away(student, reference):
    """The log-density is a finite, right number far from all centres."""
    for x in FAR:  # one by one, lest the largest hide errors of the others
        inputs = x[None], MEANS, 0.7, WEIGHTS
        agrees(student.gmm_log_prob, reference.gmm_log_prob, *inputs, name="log-density", means=NUMBERS)


@check("5.1", points=0.5)
def test_score_of_one_gaussian(student, draw):
    """For a single component the score is the textbook's."""
    x, means = draw.normal(5, 2, scale=2.0), draw.normal(1, 2)
    agrees(student.gmm_score, textbook_score, x, means, 0.6, ONE, name="score", means=VECTORS)


@check("5.1", points=0.5)
def test_score_of_mixture(student, draw):
    """The score of a mixture is the gradient of its log-density."""
    for n_points, n_components in SIZES:
        x, means = draw.normal(n_points, 2, scale=1.5), draw.normal(n_components, 2, scale=1.5)
        inputs = x, means, 0.7, draw.weights(n_components)
        agrees(student.gmm_score, gradient_of_log_density, *inputs, name="score", means=VECTORS)


@check("5.1", points=0.5, visibility="hidden")
def test_score_obeys_stein(student):
    """Averaged over the mixture, the score is zero and its product with x is minus the identity."""
    points, area = grid()
    scores = array_of(student.gmm_score(points, MEANS, 0.8, WEIGHTS), points.shape, "score")
    weighted = density(points, MEANS, 0.8, WEIGHTS)[:, None] * area * scores
    close(weighted.sum(0), torch.zeros(2), "average of the score", atol=1e-4)
    close(weighted.T @ points, -torch.eye(2), "average of score times x", atol=1e-4)


@check("5.1", points=0.5)
def test_score_far_away(student, reference):
    """The score is finite and right far from all centres."""
    for x in FAR:
        inputs = x[None], MEANS, 0.7, WEIGHTS
        agrees(student.gmm_score, reference.gmm_score, *inputs, name="score", means=VECTORS)


# ---- what the checks know by themselves


def textbook_log_prob(x, means, sigma, weights):
    """Log-density of one round Gaussian in the plane, (B,)."""
    return -(x - means[0]).square().sum(-1) / (2 * sigma**2) - math.log(2 * math.pi * sigma**2)


def textbook_score(x, means, sigma, weights):
    """A straight line through zero at the centre, (B, 2)."""
    return (means[0] - x) / sigma**2


def density(x, means, sigma, weights):
    """The mixture's density, component by component and without logarithms, (B,)."""
    parts = zip(weights, means, strict=True)
    return sum(weight * textbook_log_prob(x, mean[None], sigma, None).exp() for weight, mean in parts)


def gradient_of_log_density(x, means, sigma, weights):
    """The score by automatic differentiation of `density`, (B, 2)."""
    x = x.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        return torch.autograd.grad(density(x, means, sigma, weights).log().sum(), x)[0]


def grid(half_width=10.0, n=41):
    """Points (n * n, 2) of a square grid, and the area that each stands for."""
    axis = torch.linspace(-half_width, half_width, n, dtype=torch.float64)
    return torch.cartesian_prod(axis, axis), (2 * half_width / (n - 1)) ** 2
