"""Part 6.2: Sinkhorn on the kernel. No cost here is more than sixty times eps, so nothing underflows."""

import math

import torch
from sinkhorn_readings import SOLUTION, Reading, marginals, plan, potentials, recorded, solution, solves
from sinkhorn_slow import SLOW, errors_behave, stops_where_told

from gdgrade.checks import check

PLAN = "one row per point of x, one column per point of y"


def cost(draw, n, m):
    """Costs of order one, no two alike, none zero."""
    return draw.uniform(n, m, low=0.2, high=3.2)


def two_by_two(a, b, C, eps):
    """The plan between two points and two points, from a quadratic equation.

    (P11 P22) / (P12 P21) depends on C and eps alone, since the potentials cancel; the marginals leave P11 free.
    """
    ratio = math.exp(-float(C[0, 0] + C[1, 1] - C[0, 1] - C[1, 0]) / eps)
    a1, b1 = float(a[0]), float(b[0])
    # t (1 - a1 - b1 + t) = ratio (a1 - t) (b1 - t), where t = P11
    square, linear, constant = 1 - ratio, 1 - a1 - b1 + ratio * (a1 + b1), -ratio * a1 * b1
    root = math.sqrt(linear**2 - 4 * square * constant)
    t = next(t for t in ((-linear + root) / (2 * square), (-linear - root) / (2 * square)) if 0 < t < min(a1, b1))
    return torch.tensor([[t, a1 - t], [b1 - t, 1 - a1 - b1 + t]]), None, None, None


@check("6.2", points=0.5)
def test_two_by_two(student):
    """Between two points and two points the plan is the one in closed form."""
    half, C = torch.tensor([0.5, 0.5]), torch.tensor([[0.0, 1.6], [1.6, 0.0]])
    solves(student.sinkhorn, two_by_two, half, half, C, 0.8, read=plan, name="plan, equal weights", means=PLAN)
    a, b = torch.tensor([0.3, 0.7]), torch.tensor([0.6, 0.4])
    C = torch.tensor([[0.5, 1.5], [2.0, 0.2]])
    solves(student.sinkhorn, two_by_two, a, b, C, 0.7, read=plan, name="plan, uneven weights", means=PLAN)


@check("6.2", points=0.5)
def test_marginals(student, draw):
    """The plan leaves the mass a and delivers the mass b, also where convergence takes a few hundred iterations."""
    a, b = draw.weights(7), draw.weights(5)
    words = ("the row sums, one per point of x", "the column sums, one per point of y")

    def prescribed(a, b, C, eps):
        return Reading((a, b))

    square = (draw.weights(4), draw.weights(4), cost(draw, 4, 4))  # there even exchanged weights give a plan
    solves(student.sinkhorn, prescribed, *square, 0.6, read=marginals, note=plan, name="marginals, n = m", means=words)
    C = cost(draw, 7, 5)
    solves(student.sinkhorn, prescribed, a, b, C, 0.6, read=marginals, note=plan, name="marginals", means=words)
    solves(student.sinkhorn, prescribed, *SLOW, read=marginals, note=plan, name="marginals, slow", means=words)


@check("6.2", points=0.5)
def test_product_plan(student, draw):
    """If the cost is a number per row plus a number per column, nothing is gained by matching: P is a b^T."""
    a, b = draw.weights(6), draw.weights(4)
    C = draw.uniform(6, 1, high=2.0) + draw.uniform(1, 4, high=2.0)

    def product(a, b, C, eps):
        return a[:, None] * b[None, :], None, None, None

    solves(student.sinkhorn, product, a, b, C, 0.3, read=plan, name="plan for C = row + column", means=PLAN)
    solves(student.sinkhorn, product, a, b, torch.zeros_like(C), 0.3, read=plan, name="plan for C = 0", means=PLAN)


@check("6.2", points=0.5)
def test_potentials(student, reference, draw):
    """f and g are the potentials of the plan relative to a b^T, in units of C."""
    a, b = draw.weights(5), draw.weights(8)
    words = ("one number per point of x", "one number per point of y")
    name = "potentials (f - f[0], g + f[0])"
    args = (a, b, cost(draw, 5, 8), 0.7)
    solves(student.sinkhorn, reference.sinkhorn, *args, read=potentials, name=name, means=words)


@check("6.2", points=0.5)
def test_errors(student):
    """The list of errors holds row errors, which do not grow, and ends at the tolerance."""
    errors_behave(student.sinkhorn)


@check("6.2", points=0.5)
def test_tolerance(student):
    """The iteration ends at n_iter, and before as soon as the row error is at most tol."""
    stops_where_told(student.sinkhorn)


@check("6.2", points=0.5, visibility="hidden")
def test_units_and_order(student, reference, draw):
    """Other units of cost, a constant added to a row or column, and another order of the points change nothing else."""
    a, b, C, eps = draw.weights(4), draw.weights(6), cost(draw, 4, 6), 0.6
    rows, columns = draw.permutation(4), draw.permutation(6)
    P, *_ = reference.sinkhorn(a, b, C, eps)

    def same(*args):
        return P, None, None, None

    def reordered(*args):
        return P[rows][:, columns], None, None, None

    solves(student.sinkhorn, same, a, b, 5 * C, 5 * eps, read=plan, name="plan for 5 C and 5 eps", means=PLAN)
    C_shifted = C + torch.tensor([1.0, 0.0, 0.5, 2.0])[:, None] + torch.linspace(0, 1, 6)
    solves(student.sinkhorn, same, a, b, C_shifted, eps, read=plan, name="plan for C + row + column", means=PLAN)
    args = (a[rows], b[columns], C[rows][:, columns], eps)
    solves(student.sinkhorn, reordered, *args, read=plan, name="plan for points in another order", means=PLAN)


@check("6.2", points=0.5, visibility="hidden")
def test_values_of_pot(student):
    """Plan and potentials are those that POT finds."""
    pot = recorded("kernel")

    def recorded_solution(*args):
        return pot["P"], pot["f"], pot["g"], None

    args = (pot["a"], pot["b"], pot["C"], pot["eps"])
    name = "(P, f - f[0], g + f[0])"
    solves(student.sinkhorn, recorded_solution, *args, read=solution, name=name, means=SOLUTION)
