"""Scores that the checks hand to students' code, laws that are known by hand, and ways to read what comes back.

Every score takes points in any number, shape (..., d), as tensors or numpy arrays, and is differentiable.
"""

import torch

from gdgrade.checks import CheckFailed, StudentError, agrees, require, well_formed

PLAN_RTOL = 1e-4  # where a Sinkhorn plan is in the result: solvers may stop at row errors of 1e-6 and more

# ---- scores


def bent_score():
    """A smooth score that is no straight line: a wrong point of evaluation shows."""

    def score(x):
        x = torch.as_tensor(x)
        return torch.sin(2 * x) - 0.7 * x.flip(-1) - 0.1 * x**3

    return score


def linear_score(mean, variance):
    """Score of N(mean, variance I); `mean` (d,)."""

    def score(x):
        x = torch.as_tensor(x)
        return (mean.to(x) - x) / variance

    return score


def no_score():
    """Zero everywhere."""

    def score(x):
        return 0 * torch.as_tensor(x)

    return score


def mixture_score(means, sigma, weights):
    """Score of a mixture of round Gaussians; `means` (K, d), `weights` (K,)."""

    def score(x):
        x = torch.as_tensor(x)
        pulls = means.to(x) - x[..., None, :]  # (..., K, d)
        logits = weights.to(x).log() - pulls.square().sum(-1) / (2 * sigma**2)
        return (torch.softmax(logits, dim=-1)[..., None] * pulls).sum(-2) / sigma**2

    return score


# ---- clouds


def cloud(draw, n, d, centre=0.0):
    """Points (n, d) in a cube of side 2: with eps of 1 and more a plan is found within a hundred iterations."""
    return draw.uniform(n, d, low=-1.0, high=1.0) + centre


def shift_of(draw, d, low=0.6, high=1.4):
    """A vector (d,) whose coordinates are neither small nor alike."""
    return draw.uniform(d, low=low, high=high) * draw.signs(d)


def normal_grid(n):
    """The quantiles (n,) of N(0, 1) at equally spaced levels, scaled to variance 1."""
    levels = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    grid = torch.special.ndtri(levels)
    return grid / grid.square().mean().sqrt()


# ---- laws


def pair(middle, arm):
    """Two points (2, d) at `middle` plus and minus `arm`, both (d,)."""
    return torch.stack([middle + arm, middle - arm])


def pull_of_pair(arm, target_arm, eps):
    """Where the plan from +-arm to +-target_arm sends +arm, seen from the middle: the 2 x 2 problem by hand, (d,)."""
    return target_arm * torch.tanh(2 * (arm @ target_arm) / eps)


def entropic_covariance(v, w, eps):
    """Covariance of the entropic plan between normals of variances v and w on the line."""
    return ((4 * v * w + eps**2 / 4) ** 0.5 - eps / 2) / 2


def divergence(x, y, eps):
    """Sinkhorn divergence of two clouds with equal weights, from the dual values; a number."""

    def cost(x, y):
        C = (x[:, None] - y[None]).square().sum(-1)
        f, g = x.new_zeros(len(x)), y.new_zeros(len(y))
        log_n, log_m = torch.tensor(float(len(x))).log(), torch.tensor(float(len(y))).log()
        for _ in range(300):
            f = -eps * (torch.logsumexp((g - C) / eps, dim=1) - log_m)
            g = -eps * (torch.logsumexp((f[:, None] - C) / eps, dim=0) - log_n)
        return f.mean() + g.mean()

    return float(cost(x, y) - cost(x, x) / 2 - cost(y, y) / 2)


def own_velocity(student, x, y, eps):
    """The student's own velocity at x, so that a wrong one is not held against what is built on it."""
    result = called(student, "ot_velocity", x, y, eps)
    velocity = array_of(result, x.shape, "your ot_velocity")
    require(velocity.abs().max() > 1e-3, "your ot_velocity is zero here, so what the step does with it cannot be seen")
    well_formed(velocity, x, "your ot_velocity", means="one vector per particle", varies=True)
    require(velocity.abs().max() < 1e6, "your ot_velocity is so large here that nothing beside it can be seen")
    return velocity


# ---- reading answers


def array_of(value, shape, name):
    """A result as a float64 tensor, once it is known to have this shape and to be finite."""
    try:
        numbers = torch.as_tensor(value).detach().to(torch.float64)
    except (TypeError, ValueError, RuntimeError):
        numbers = None
    due = tuple(shape)
    require(numbers is not None, f"{name}: got a {type(value).__name__}, expected an array of shape {due}")
    got = tuple(numbers.shape)
    require(got == due, f"{name}: got shape {got}, expected {due}")
    require(numbers.isfinite().all(), f"{name}: some entries are not finite")
    return numbers


def frames(result):
    """All frames of a run of two steps or more: alone, in a list, or second of (last frame, frames)."""
    if isinstance(result, tuple | list) and len(result) == 2:
        result = result[1]
    if isinstance(result, list | tuple):
        return torch.stack([torch.as_tensor(frame) for frame in result])
    return result


def last_frame(result):
    """The last particles: alone, or first of a pair (last frame, something)."""
    return result[0] if isinstance(result, tuple) and len(result) == 2 else result


def called(student, name, *args, **kwargs):
    """What the student's function returns; in float32 if the student's code cannot do float64."""
    function = getattr(student, name)
    try:
        return function(*args, **kwargs)
    except StudentError as error:
        if error.kind != "exception":
            raise
        try:
            with student.dtype("float32"):
                return function(*map(single, args), **{key: single(value) for key, value in kwargs.items()})
        except StudentError:
            raise error from None


def moved(student, *args, shape, name="the frames", **kwargs):
    """The student's trajectory, of this shape and finite; in float32 if the student's code cannot do float64."""
    result = called(student, "morph", *args, **kwargs)
    states = array_of(frames(result), shape, name)
    well_formed(states, states, name, varies=True)
    require(states.abs().max() < 1e6, f"{name}: the particles have left for infinity")
    return states


def single(value):
    """Tensors in float32, anything else as it is."""
    return value.float() if isinstance(value, torch.Tensor) else value


def either(function, laws, *args, **kwargs):
    """`agrees` with one of several laws; if with none, the message is about the first."""
    first = None
    for law in laws:
        try:
            return agrees(function, law, *args, **kwargs)
        except CheckFailed as error:
            first = first or error
    raise first


def note_spread(observe, moves, variance):
    """Observe, in whole numbers that hardly depend on the draws, how particles moved away from one point.

    Args:
        observe: `gdgrade.checks.observe`.
        moves: (n, d), moves of free particles; variance: right variance of every coordinate.
    """
    import math

    ratio = float(moves.var(dim=0).mean()) / variance
    observe("different moves", len(moves.unique(dim=0)))
    observe("doublings of the variance", round(math.log2(ratio)) if 0 < ratio < math.inf else None)
