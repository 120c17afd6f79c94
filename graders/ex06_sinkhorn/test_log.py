"""Part 6.3: Sinkhorn in the log domain, from an eps so small that every kernel is zero to one without effect."""

import torch
from sinkhorn_readings import SOLUTION, Reading, cost_of_plan, marginals, matrix, plan, recorded, solution, solves
from sinkhorn_slow import SLOW, errors_behave, stops_where_told

from gdgrade.checks import CheckFailed, check

PLAN = "one row per point of x, one column per point of y"


@check("6.3", points=0.5)
def test_plan_and_potentials(student, reference, draw):
    """Plan and potentials solve the same problem as in part 6.2."""
    a, b, C = draw.weights(6), draw.weights(4), draw.uniform(6, 4, low=0.2, high=3.2)
    args = (student.sinkhorn_log, reference.sinkhorn_log)
    square = (draw.weights(3), draw.weights(3), draw.uniform(3, 3, low=0.2, high=3.2))  # where weights can be exchanged
    solves(*args, *square, 0.7, read=plan, name="plan, n = m", means=PLAN)
    name = "(P, f - f[0], g + f[0])"
    solves(*args, a, b, C, 0.7, read=solution, name=name, means=SOLUTION)

    def prescribed(a, b, C, eps):
        return Reading((a, b))

    solves(student.sinkhorn_log, prescribed, *SLOW, read=marginals, note=plan, name="marginals, slow")


def two_groups(draw):
    """Two groups of points and two more, far off and as far from each other, with equal mass.

    C / eps is 1,600 to 6,000: exp(-C / eps) is zero, and log(exp(-C / eps) + 1e-300) is far from -C / eps. Inside a
    group the costs differ by a few eps only: the plan is not one-to-one, and is found in some ten iterations.
    """
    x = torch.cat(
        [0.04 * draw.uniform(2, 3, low=-1), torch.tensor([2.0, 0.0, 1.0]) + 0.04 * draw.uniform(3, 3, low=-1)]
    )
    y = torch.cat(
        [0.04 * draw.uniform(3, 3, low=-1), torch.tensor([2.0, 0.0, 1.0]) + 0.04 * draw.uniform(1, 3, low=-1)]
    )
    y = y + torch.tensor([1.3, 1.0, -0.8])
    C = ((x[:, None] - y[None, :]) ** 2).sum(-1)
    return torch.tensor([0.15, 0.25, 0.3, 0.2, 0.1]), torch.tensor([0.2, 0.05, 0.15, 0.6]), C


@check("6.3", points=0.5)
def test_small_eps(student, reference, draw):
    """The plan is finite and right where every entry of exp(-C / eps) is zero in the computer."""
    a, b, C = two_groups(draw)
    args = (student.sinkhorn_log, reference.sinkhorn_log, a, b, C)
    solves(*args, 2.0, read=plan, name="plan at eps = 2", means=PLAN)
    # A potential of size C is rounded to 1e-16 C, and the plan to 1e-16 C / eps; in float32 that is 1e-3.
    solves(*args, 0.002, read=plan, rtol=2e-3, name="plan at eps = 0.002", means=PLAN)


@check("6.3", points=0.5)
def test_towards_exact_transport(student):
    """For small eps the cost of the plan is the smallest there is, found by an exact solver."""
    known = recorded("exact")

    def exact(a, b, C, eps):
        return Reading(known["exact_cost"])

    args = (known["a"], known["b"], known["C"], 0.1)
    solves(student.sinkhorn_log, exact, *args, read=cost_of_plan(known["C"]), note=plan, rtol=1e-5, name="<P, C>")


@check("6.3", points=0.5)
def test_large_eps(student, draw):
    """For large eps every point spreads its mass over all others: P tends to a b^T."""
    a, b, C = draw.weights(5), draw.weights(7), draw.uniform(5, 7, high=3.0)

    def product(a, b, C, eps):
        return a[:, None] * b[None, :], None, None, None

    solves(student.sinkhorn_log, product, a, b, C, 1e7, read=plan, name="plan at eps = 1e7", means=PLAN)


@check("6.3", points=0.5)
def test_between_the_limits(student, reference):
    """The cost of the plan grows with eps, from that of exact transport to that of a b^T."""
    known = recorded("exact")
    a, b, C = known["a"], known["b"], known["C"]
    costs = []
    for eps in (0.3, 1.0, 3.0, 10.0):
        name = f"<P, C> at eps = {eps}"
        args = (student.sinkhorn_log, reference.sinkhorn_log, a, b, C, eps)
        costs.append(float(solves(*args, read=cost_of_plan(C), note=plan, name=name)))
    bounds = [float(known["exact_cost"]), *costs, float(a @ C @ b)]
    if sorted(bounds) != bounds:
        raise CheckFailed("<P, C> does not grow with eps, or leaves the range between exact transport and a b^T")


@check("6.3", points=0.5)
def test_errors(student):
    """The list of errors holds row errors, which do not grow, and the iteration ends where n_iter and tol say."""
    errors_behave(student.sinkhorn_log)
    stops_where_told(student.sinkhorn_log)


@check("6.3", points=0.5, visibility="hidden")
def test_gaussians(student):
    """Between two Gaussians on the line the covariance under the plan is the one in closed form."""
    x, y = torch.linspace(-5, 5, 25), torch.linspace(-4.5, 4.5, 21)
    v1, v2, s = 1.0, 0.5, 0.5**0.5
    a, b = torch.exp(-(x**2) / (2 * v1)), torch.exp(-(y**2) / (2 * v2))
    y = y + 0.7  # the mean of the second one; it does not enter the covariance
    C = (x[:, None] - y[None, :]) ** 2

    def closed_form(a, b, C, eps):
        # eps = 2 s^2. Janati, Muzellec, Peyre and Cuturi (2020), Entropic optimal transport between Gaussians.
        return Reading(((4 * v1 * v2 + s**4) ** 0.5 - s**2) / 2)

    def covariance(result):
        P = matrix(result)
        if P.shape != C.shape:
            return P
        return (P * x[:, None] * (y - 0.7)[None, :]).sum()

    args = (a / a.sum(), b / b.sum(), C, 2 * s**2)
    # The grid, not the solver, sets the tolerance: its sums stand for integrals, cut off at six deviations.
    solves(student.sinkhorn_log, closed_form, *args, read=covariance, rtol=2e-5, name="covariance under P")


@check("6.3", points=0.5, visibility="hidden")
def test_values_of_pot(student):
    """Plan and potentials are those that POT finds."""
    pot = recorded("log")

    def recorded_solution(*args):
        return pot["P"], pot["f"], pot["g"], None

    args = (pot["a"], pot["b"], pot["C"], pot["eps"])
    name = "(P, f - f[0], g + f[0])"
    solves(student.sinkhorn_log, recorded_solution, *args, read=solution, name=name, means=SOLUTION)
