"""Known wrong answers of parts 6.2 and 6.3. Most can be made in either solver and stand here once for both."""

import numpy as np
import torch

from gdgrade.mistakes import mistake

LARGEST_EXPONENT = 600.0  # exp(-600) is still a normal number


def iterate(a, b, C, eps, n_iter, tol, g, measure=None, weigh=True):
    """Sinkhorn with its parts exchangeable; in numpy, which is quick on arrays of this size.

    A diagnosis runs some forty mistakes, many of which never converge. So the plan is scaled where exp(-C / eps) can
    be held in the computer, and logarithms are used only where it cannot.

    Args:
        g: (m,) potential to start from.
        measure: what is recorded and compared with tol, from the row sums, the column sums, a, b, the old and the new
            f; the L1 row error if left out.
        weigh: False to leave the weights out of the sums.
    """
    a, b, C, g = (item.detach().numpy().astype(float) for item in (a, b, C, g))
    inside = (a, b) if weigh else (np.ones_like(a), np.ones_like(b))
    solver = _Scaled if float(np.ptp(C) + np.ptp(g)) <= LARGEST_EXPONENT * abs(eps) else _Logarithmic
    state, f, errors = solver(*inside, C, eps, g), np.zeros_like(a), []
    for _ in range(n_iter):
        before, (f, g, rows, columns) = f, state.step()
        rows, columns = rows * (a / inside[0]), columns * (b / inside[1])
        errors.append(float(np.abs(rows - a).sum() if measure is None else measure(rows, columns, a, b, before, f)))
        if errors[-1] <= tol:
            break
    P = np.exp((f[:, None] + g[None, :] - C) / eps) * a[:, None] * b[None, :]
    return torch.from_numpy(P), torch.from_numpy(f), torch.from_numpy(g), errors


class _Scaled:
    """Scalings u = exp(f / eps), v = exp(g / eps) of the kernel with its weights."""

    def __init__(self, a, b, C, eps, g):
        self.low, self.eps = C.min() if eps > 0 else C.max(), eps
        self.K = np.exp(-(C - self.low) / eps) * a[:, None] * b[None, :]
        self.shift = g.mean()
        self.a, self.b, self.v = a, b, np.exp((g - self.shift) / eps)
        self.Kv = self.K @ self.v

    def step(self):
        u = self.a / self.Kv
        uK = u @ self.K
        self.v = self.b / uK
        self.Kv = self.K @ self.v
        f, g = self.eps * np.log(u) + self.low - self.shift, self.eps * np.log(self.v) + self.shift
        return f, g, u * self.Kv, self.v * uK


class _Logarithmic:
    """The same on potentials."""

    def __init__(self, a, b, C, eps, g):
        self.a, self.b, self.C, self.eps, self.g = a[:, None], b[None, :], C, eps, g

    def step(self):
        f = -self.eps * _log_sum(self.b, (self.g[None, :] - self.C) / self.eps, 1)
        self.g = -self.eps * _log_sum(self.a, (f[:, None] - self.C) / self.eps, 0)
        P = self.a * self.b * np.exp((f[:, None] + self.g[None, :] - self.C) / self.eps)
        return f, self.g, P.sum(1), P.sum(0)


def _log_sum(weights, exponents, axis):
    top = exponents.max(axis, keepdims=True)
    return np.log((weights * np.exp(exponents - top)).sum(axis)) + top.squeeze(axis)


def for_both(title, hint, kind="mistake", checks=None):
    """Declare a mistake of `sinkhorn`, and under the same name with _log one of `sinkhorn_log`.

    The decorated function gets (start, a, b, C, eps, n_iter, tol); `start` makes the usual first g of that solver:
    scalings equal to one on the kernel, zero in the log domain.
    """

    def mark(function):
        def on_kernel(ref, a, b, C, eps, n_iter=1000, tol=1e-9):
            return function(lambda b, eps: -eps * b.log(), a, b, C, eps, n_iter, tol)

        def on_logs(ref, a, b, C, eps, n_iter=1000, tol=1e-9):
            return function(lambda b, eps: torch.zeros_like(b), a, b, C, eps, n_iter, tol)

        on_kernel.__name__, on_logs.__name__ = function.__name__, f"{function.__name__}_log"
        words = {"title": title, "hint": hint, "kind": kind, "checks": checks}
        globals()[on_logs.__name__] = mistake(of="sinkhorn_log", **words)(on_logs)
        return mistake(of="sinkhorn", **words)(on_kernel)

    return mark


# ------------------------------------------------------------------------------------------------ eps and the cost
@for_both("eps is the inverse temperature: exp(-C * eps)", "When eps grows, should the plan become sharper or blurred?")
def eps_inverted(start, a, b, C, eps, n_iter, tol):
    return iterate(a, b, C, 1 / eps, n_iter, tol, start(b, 1 / eps))


@for_both(
    "eps is a length (blur): the kernel is exp(-C / eps^2)",
    "In which unit is eps, if it is added up with a cost?",
    kind="convention",
)
def eps_is_blur(start, a, b, C, eps, n_iter, tol):
    return iterate(a, b, C, eps**2, n_iter, tol, start(b, eps**2))


@for_both(
    "half the cost, as in geomloss: the kernel is exp(-C / (2 eps))",
    "What is your kernel for C = 1 and eps = 1, and what should it be?",
    kind="convention",
)
def kernel_of_half_cost(start, a, b, C, eps, n_iter, tol):
    return iterate(a, b, C / 2, eps, n_iter, tol, start(b, eps))


@for_both("the cost is divided by its maximum", "If all costs double and eps doubles too, should the plan change?")
def cost_divided_by_max(start, a, b, C, eps, n_iter, tol):
    return iterate(a, b, C / C.abs().max().clamp(min=1e-30), eps, n_iter, tol, start(b, eps))


@for_both("the sign of C is turned: the cost is maximised", "Which pairs get most mass: near ones or far ones?")
def cost_maximised(start, a, b, C, eps, n_iter, tol):
    return iterate(a, b, -C, eps, n_iter, tol, start(b, eps))


# ------------------------------------------------------------------------------------------------------ the weights
@for_both("a and b are ignored: uniform weights", "What are the row sums of your plan for a = (0.9, 0.1)?")
def uniform_weights(start, a, b, C, eps, n_iter, tol):
    a, b = torch.full_like(a, 1 / len(a)), torch.full_like(b, 1 / len(b))
    return iterate(a, b, C, eps, n_iter, tol, start(b, eps))


@for_both("weights of one for every point", "How much mass does your plan carry in all?")
def weights_of_ones(start, a, b, C, eps, n_iter, tol):
    a, b = torch.ones_like(a), torch.ones_like(b)
    return iterate(a, b, C, eps, n_iter, tol, start(b, eps))


@for_both("a serves the columns and b the rows", "Which side of the plan belongs to a?")
def marginals_swapped(start, a, b, C, eps, n_iter, tol):
    if len(a) == len(b):  # otherwise this cannot be run at all
        a, b = b, a
    return iterate(a, b, C, eps, n_iter, tol, start(b, eps))


@for_both(
    "the weights are left out of the last step: P = exp((f + g - C) / eps)",
    "Relative to what do your potentials describe the plan?",
)
def plan_without_weights(start, a, b, C, eps, n_iter, tol):
    _, f, g, errors = iterate(a, b, C, eps, n_iter, tol, start(b, eps))
    return torch.exp((f[:, None] + g[None, :] - C) / eps), f, g, errors


@mistake(
    of="sinkhorn_log",
    title="the sums of the updates leave out the weights, the plan has them",
    hint="Which weights belong into the sum over j, and which into the sum over i?",
)
def weights_not_in_sums(ref, a, b, C, eps, n_iter=1000, tol=1e-9):
    return iterate(a, b, C, eps, n_iter, tol, torch.zeros_like(b), weigh=False)


# ------------------------------------------------------------------------------------------- the order of the updates
@for_both(
    "both sides are updated from the old values",
    "When the columns are rescaled, which rows do they see: those before this iteration's update or those after it?",
    checks=("plan/", "log/"),
)
def updates_at_once(start, a, b, C, eps, n_iter, tol):
    f, g = start(a, eps).numpy(), start(b, eps).numpy()
    a, b, C = (item.detach().numpy().astype(float) for item in (a, b, C))
    errors = []
    for _ in range(n_iter):
        rows, columns = (g[None, :] - C) / eps, (f[:, None] - C) / eps
        f, g = -eps * _log_sum(b[None, :], rows, 1), -eps * _log_sum(a[:, None], columns, 0)
        P = np.exp((f[:, None] + g[None, :] - C) / eps) * a[:, None] * b[None, :]
        errors.append(float(np.abs(P.sum(1) - a).sum()))
        if errors[-1] <= tol:
            break
    return torch.from_numpy(P), torch.from_numpy(f), torch.from_numpy(g), errors


@for_both(
    "columns before rows: the row error is zero after one iteration",
    "Which marginal is exact after the last half of your iteration, and which error do you look at?",
    checks=("plan/", "log/"),
)
def columns_before_rows(start, a, b, C, eps, n_iter, tol):
    def row_error(rows, columns, a, b, before, f):
        return np.abs(columns - b).sum()  # the problem is solved with its sides exchanged

    P, g, f, errors = iterate(b, a, C.T, eps, n_iter, max(tol, 1e-14), start(a, eps), measure=row_error)
    return P.T, f, g, errors


# --------------------------------------------------------------------------------------------------- when to stop
def _change(rows, columns, a, b, before, f):
    return np.abs(f - before).sum()


@for_both("stops when the potential moves by less than 0.1", "How far are the row sums of your plan from a?")
def loose_stop(start, a, b, C, eps, n_iter, tol):
    return iterate(a, b, C, eps, n_iter, 0.1, start(b, eps), measure=_change)


@for_both("always makes n_iter iterations", "What is tol for?")
def tol_ignored(start, a, b, C, eps, n_iter, tol):
    return iterate(a, b, C, eps, n_iter, -1.0, start(b, eps))


def _fixed(count):
    def fixed(start, a, b, C, eps, n_iter, tol):
        return iterate(a, b, C, eps, count, -1.0, start(b, eps))

    fixed.__name__ = f"fixed_iterations_{count}"
    hint = "Does the row error still fall when you end the iteration?"
    # Not the divergence: ten iterations are a mistake of its own there.
    return for_both(f"a fixed number of iterations ({count})", hint, checks=("plan/", "log/"))(fixed)


fixed_iterations_10, fixed_iterations_20, fixed_iterations_50 = _fixed(10), _fixed(20), _fixed(50)
fixed_iterations_100, fixed_iterations_200 = _fixed(100), _fixed(200)


# ------------------------------------------------------------------------------------------------- what is returned
@for_both("each row of the plan is replaced by its largest entry", "Does every y_j still receive its mass?")
def argmax_plan(start, a, b, C, eps, n_iter, tol):
    P, f, g, errors = iterate(a, b, C, eps, n_iter, tol, start(b, eps))
    best = torch.nn.functional.one_hot(P.argmax(1), P.shape[1]).to(P)
    return best * a[:, None], f, g, errors


@for_both("the plan is returned transposed", "Which point does a row of P belong to?", checks=("plan/", "log/"))
def plan_transposed(start, a, b, C, eps, n_iter, tol):
    P, f, g, errors = iterate(a, b, C, eps, n_iter, tol, start(b, eps))
    return P.T, f, g, errors


POTENTIALS = ("plan/potentials", "plan/values", "log/plan_and", "log/values")  # elsewhere these are right answers


@for_both(
    "potentials as in POT, with the weights inside: P = exp((f + g - C) / eps)",
    "What is left of P when you divide it by a b^T?",
    kind="convention",
    checks=POTENTIALS,
)
def potentials_with_weights(start, a, b, C, eps, n_iter, tol):
    P, f, g, errors = iterate(a, b, C, eps, n_iter, tol, start(b, eps))
    return P, f + eps * a.log(), g + eps * b.log(), errors


@for_both(
    "the potentials have the wrong sign",
    "If C grows by 1 everywhere, what must f + g do to keep the plan?",
    checks=POTENTIALS,
)
def potentials_negated(start, a, b, C, eps, n_iter, tol):
    P, f, g, errors = iterate(a, b, C, eps, n_iter, tol, start(b, eps))
    return P, -f, -g, errors


@for_both(
    "potentials without unit: f / eps",
    "In which unit is f, if it is added up with a cost?",
    kind="convention",
    checks=POTENTIALS,
)
def potentials_over_eps(start, a, b, C, eps, n_iter, tol):
    P, f, g, errors = iterate(a, b, C, eps, n_iter, tol, start(b, eps))
    return P, f / eps, g / eps, errors


@for_both(
    "the scalings u and v instead of potentials", "What turns a factor into a term of the exponent?", checks=POTENTIALS
)
def scalings_returned(start, a, b, C, eps, n_iter, tol):
    P, f, g, errors = iterate(a, b, C, eps, n_iter, tol, start(b, eps))
    return P, a * torch.exp(f / eps), b * torch.exp(g / eps), errors


@for_both("f and g are exchanged", "How many numbers does f have?", checks=POTENTIALS)
def potentials_exchanged(start, a, b, C, eps, n_iter, tol):
    P, f, g, errors = iterate(a, b, C, eps, n_iter, tol, start(b, eps))
    return P, g, f, errors


# ----------------------------------------------------------------------------------------------- what is recorded
RECORDS = ("plan/errors", "plan/tolerance", "log/errors")  # elsewhere these are right answers


@for_both(
    "records and tests a number that is always zero: the column error, or the sum of signed differences",
    "Is the number that you look at zero after a single iteration? Which marginal is exact then, and what cancels?",
)
def errors_of_columns(start, a, b, C, eps, n_iter, tol):
    def column_error(rows, columns, a, b, before, f):
        return np.abs(columns - b).sum()

    return iterate(a, b, C, eps, n_iter, max(tol, 1e-14), start(b, eps), measure=column_error)


@for_both(
    "records the largest row error", "How are the errors of the rows put together?", kind="convention", checks=RECORDS
)
def errors_as_maximum(start, a, b, C, eps, n_iter, tol):
    def largest(rows, columns, a, b, before, f):
        return np.abs(rows - a).max()

    return iterate(a, b, C, eps, n_iter, tol, start(b, eps), measure=largest)


@for_both(
    "records the Euclidean norm of the row errors",
    "How are the errors of the rows put together?",
    "convention",
    RECORDS,
)
def errors_as_norm(start, a, b, C, eps, n_iter, tol):
    def norm(rows, columns, a, b, before, f):
        return np.linalg.norm(rows - a)

    return iterate(a, b, C, eps, n_iter, tol, start(b, eps), measure=norm)


@for_both(
    "records the mean row error", "How are the errors of the rows put together?", kind="convention", checks=RECORDS
)
def errors_as_mean(start, a, b, C, eps, n_iter, tol):
    def mean(rows, columns, a, b, before, f):
        return np.abs(rows - a).mean()

    return iterate(a, b, C, eps, n_iter, tol, start(b, eps), measure=mean)


@for_both(
    "records how far the potential moves", "Does a small step prove that the marginals are right?", checks=RECORDS
)
def errors_as_change(start, a, b, C, eps, n_iter, tol):
    return iterate(a, b, C, eps, n_iter, tol, start(b, eps), measure=_change)


@for_both("records nothing", "How would a reader of your result know that it has converged?", checks=RECORDS)
def errors_missing(start, a, b, C, eps, n_iter, tol):
    return (*iterate(a, b, C, eps, n_iter, tol, start(b, eps))[:3], [])


# ----------------------------------------------------------------------------------------- kernels that underflow
def _on_kernel(a, b, C, eps, n_iter, tol, floor):
    K = torch.exp(-C / eps)
    u, v, errors = torch.ones_like(a), torch.ones_like(b), []
    for _ in range(n_iter):
        u = a / (K @ v + floor)
        v = b / (K.T @ u + floor)
        errors.append(float((u * (K @ v) - a).abs().sum()))
        if not errors[-1] > tol:
            break
    return u[:, None] * K * v[None, :], eps * (u / a).log(), eps * (v / b).log(), errors


@mistake(
    of="sinkhorn_log",
    title="works on the kernel, which underflows",
    hint="What is the smallest entry of exp(-C / eps) in the computer?",
)
def underflow(ref, a, b, C, eps, n_iter=1000, tol=1e-9):
    return _on_kernel(a, b, C, eps, n_iter, tol, 0.0)


@mistake(
    of="sinkhorn_log",
    title="works on the kernel, with a small number added to the denominators",
    hint="Which is larger in a row of zeros: the sum, or the number that you add to it?",
)
def underflow_hidden(ref, a, b, C, eps, n_iter=1000, tol=1e-9):
    return _on_kernel(a, b, C, eps, n_iter, tol, 1e-16)
