"""Part 6.5: the debiased divergence and its gradient.

Clouds lie in a cube, and eps is large enough for every plan to be found within some hundred iterations: costs inside a
cloud spread over a few eps. (Isolated points would make the plan of a cloud with itself converge very slowly.)
"""

import torch
from sinkhorn_readings import CONVERGED, noted

from gdgrade.checks import CheckFailed, agrees, check

EPS = 2.0
# A hundred iterations at eps = 0.3, and a value wrong by a fortieth after ten.
X_SLOW = [[0.0, 0.1], [-0.6, -0.3], [0.1, 0.5], [-0.6, -0.4], [0.7, 0.3]]
Y_SLOW = [[1.1, 1.0], [0.2, 0.3], [0.3, 0.7], [0.8, 1.5]]
NUMBER = "one number"


def cloud(draw, n, d, centre=0.0):
    """Points (n, d) in a cube of side 1.6."""
    return draw.uniform(n, d, low=-0.8, high=0.8) + centre


class WithGradient:
    """The student's divergence with its gradient in x, as one function of (x, y, eps)."""

    label = "sinkhorn_divergence"

    def __init__(self, student):
        self.student = student

    def __call__(self, x, y, eps):
        return self.student.run(sinkhorn_divergence, self.student.module, x, y, eps)


def sinkhorn_divergence(module, x, y, eps):
    """Runs beside the student's code, under the name by which a diagnosis knows what was called.

    The gradient is None where autograd finds no way from the value to x.
    """

    x = x.clone().requires_grad_(True)
    value = module.sinkhorn_divergence(x, y, eps)
    if not isinstance(value, torch.Tensor) or not value.requires_grad:
        return value, None
    (gradient,) = torch.autograd.grad(value.sum(), x, allow_unused=True)
    return value.detach(), gradient


def gradient_of(result):
    """The second item, if there is one."""
    _, gradient = result
    if gradient is None:
        raise CheckFailed("sinkhorn_divergence: autograd finds no way from the result back to x")
    return gradient


@check("6.5", points=1)
def test_value(student, reference, draw):
    """The divergence is what regularised transport costs, less half of what each cloud costs to itself."""
    functions = (student.sinkhorn_divergence, reference.sinkhorn_divergence)
    for n, m, d in [(6, 4, 3), (3, 7, 1)]:
        x, y = cloud(draw, n, d), cloud(draw, m, d, centre=0.7)
        agrees(*functions, x, y, EPS, rtol=CONVERGED, name="divergence", means=NUMBER)
    x, y = torch.tensor(X_SLOW), torch.tensor(Y_SLOW)
    agrees(*functions, x, y, 0.3, rtol=CONVERGED, name="divergence at eps = 0.3", means=NUMBER)


@check("6.5", points=0.5)
def test_equal_clouds(student, draw):
    """The divergence of a cloud from itself, in any order, is zero; from another it is positive."""
    x = cloud(draw, 7, 2)

    def zero(x, y, eps):
        return 0.0

    def positive(result):
        found = float(result)
        if not found > 1e-3:
            raise CheckFailed("sinkhorn_divergence: between two different clouds a clearly positive number is due")
        return 1.0

    agrees(student.sinkhorn_divergence, zero, x, x[draw.permutation(7)], EPS, atol=1e-7, name="divergence")
    other = cloud(draw, 5, 2)  # around the same centre, so only the shapes differ
    other[0] = 1.2
    agrees(student.sinkhorn_divergence, lambda x, y, eps: 1.0, x, other, EPS, pick=positive, name="divergence")


@check("6.5", points=0.5, visibility="hidden")
def test_shifted_cloud(student, draw):
    """A shift costs the square of its length, whatever eps is."""
    x, shift = cloud(draw, 6, 3), draw.uniform(3, low=0.3, high=0.9)

    def squared_length(x, y, eps):
        return shift.square().sum()

    for eps in (EPS, 7.0):
        args = (x, x[draw.permutation(6)] + shift, eps)
        agrees(student.sinkhorn_divergence, squared_length, *args, rtol=CONVERGED, name=f"divergence at eps = {eps}")


@check("6.5", points=1)
def test_gradient(student, reference, draw):
    """Autograd gives the right, finite gradient in x, also where points coincide."""

    def law(x, y, eps):
        """2/n (T_xx - T_xy): at the optimum only the cost moves with x, and each point is pulled by its plan."""
        a = x.new_full((len(x),), 1 / len(x))

        def projected(target):
            b = x.new_full((len(target),), 1 / len(target))
            P, *_ = reference.sinkhorn_log(a, b, reference.cost_matrix(x, target), eps, tol=1e-13)
            return (P @ target) / a[:, None]

        return None, 2 * a[:, None] * (projected(x) - projected(y))

    for coincide in (False, True):
        x, y = cloud(draw, 5, 3), cloud(draw, 4, 3, centre=0.5)
        if coincide:
            x[1], y[0] = x[0], x[3]
        name = "gradient where points coincide" if coincide else "gradient"
        pick = noted(gradient_of, list, name)
        agrees(WithGradient(student), law, x, y, EPS, rtol=1e-5, pick=pick, name=name, means="one row per point of x")
