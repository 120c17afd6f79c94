"""Score functions that the checks hand to students' samplers, and ways to read what comes back.

Every score takes points in any number, shape (..., d), as tensors or numpy arrays, and is differentiable.
"""

import math

import torch

from gdgrade.checks import StudentError, ks_test, observe, require


def bent_score():
    """A smooth score that is no straight line: a wrong point of evaluation shows."""

    def score(x):
        x = torch.as_tensor(x)
        return torch.sin(2 * x) - 0.7 * x.flip(-1) - 0.1 * x**3

    return score


def linear_score(precision, mean):
    """Score of N(mean, precision^-1): `precision` (d, d) symmetric, `mean` (d,)."""

    def score(x):
        x = torch.as_tensor(x)
        return -(x - mean.to(x)) @ precision.to(x)

    return score


def constant_score(slope):
    """The same arrow everywhere: `slope` in every coordinate."""

    def score(x):
        return slope * torch.ones_like(torch.as_tensor(x))

    return score


def mixture_score(means, sigma):
    """Score of a mixture of round Gaussians with equal weights; `means` (K, d)."""

    def score(x):
        x = torch.as_tensor(x)
        pulls = means.to(x) - x[..., None, :]  # (..., K, d)
        shares = torch.softmax(-pulls.square().sum(-1) / (2 * sigma**2), dim=-1)
        return (shares[..., None] * pulls).sum(-2) / sigma**2

    return score


def blurred_score(mean, variance):
    """score(x, sigma) of N(mean, variance I) blurred by sigma: a float, or of shape (), (B,) or (B, 1)."""

    def score(x, sigma):
        x = torch.as_tensor(x)
        return -(x - mean.to(x)) / (variance + level(x, sigma) ** 2)

    return score


def bent_blurred_score():
    """score(x, sigma), smooth, no straight line in x and sensitive to sigma."""

    def score(x, sigma):
        x = torch.as_tensor(x)
        s = level(x, sigma)
        return (torch.sin(2 * x) - 0.7 * x.flip(-1)) / (0.5 + s**2) - 0.1 * s * x

    return score


def level(x, sigma):
    """`sigma` in a shape that multiplies `x`, (..., d)."""
    sigma = torch.as_tensor(sigma, dtype=x.dtype)
    return sigma[..., None] if sigma.ndim == x.ndim - 1 and sigma.ndim > 0 else sigma


# ---- reading answers


def array_of(value, shape, name):
    """A result as a float64 tensor, once it is known to have this shape and to be finite."""
    try:
        numbers = torch.as_tensor(value, dtype=torch.float64).detach()
    except (TypeError, ValueError, RuntimeError):
        numbers = None
    due = tuple(shape)
    require(numbers is not None, f"{name}: got a {type(value).__name__}, expected an array of shape {due}")
    got = tuple(numbers.shape)
    require(got == due, f"{name}: got shape {got}, expected {due}")
    require(numbers.isfinite().all(), f"{name}: some entries are not finite")
    return numbers


def last_state(result):
    """The last particles: alone, or first of the pair (particles, trajectory)."""
    return result[0] if isinstance(result, tuple) and len(result) == 2 else result


def trajectory(result):
    """The states of a run of two steps or more: alone, in a list, or second of (particles, states)."""
    return result[1] if isinstance(result, tuple | list) and len(result) == 2 else result


def note_spread(first, second, drift, variance, n_steps=1):
    """Observe, in whole numbers that hardly depend on the draws, how particles moved away from one point.

    Args:
        first, second: (B, d), the student's moves in two calls with the same arguments.
        drift: right mean; variance: right variance of every coordinate.
        n_steps: how many steps were made; mean and variance are counted in right steps.
    """
    observe("the same noise in two calls", torch.equal(first, second))
    different = len(first.unique(dim=0))
    observe("different moves", different)
    observe("no noise at all", torch.allclose(first, first.mean() + torch.zeros_like(first)))
    both = torch.stack([first, second])  # spread within a call, for particles that share their noise have none
    ratio = float(both.var(dim=1).mean()) / variance
    observe("doublings of the variance", round(math.log2(max(ratio, 1e-12))) if math.isfinite(ratio) else None)
    # Of twice the right variance and more, the doublings say enough: a count would depend on the draws.
    counted = observe("steps of noise", min(round(ratio * n_steps), 2 * n_steps) if math.isfinite(ratio) else None)
    # The mean of particles that moved alike, or much too far, is not known to a step.
    if different > 1 and counted is not None and counted < 2 * n_steps:
        observe("steps of drift", round(float(both.mean()) / drift * n_steps))
    elif different > 1:
        observe("drift over the right one", round(float(both.mean()) / drift))


def normal_noise(points, mean, sd):
    """Test the shape of noise: mean and covariance alone do not tell normal noise from uniform noise, or from signs.

    Args:
        points: (B, d), what independent normal noise of this mean, a number or (d,), and deviation must look like.
    """
    from scipy.special import ndtr

    return ks_test(((points - mean) / sd).flatten(), ndtr)


def require_parted(moves):
    """Require that particles which started at one point, each with noise of its own, are at different points now.

    Args:
        moves: (B, d), how far each of them came.
    """
    different = observe("different moves", len(moves.unique(dim=0)))
    observe("no noise at all", torch.allclose(moves, moves.mean() + torch.zeros_like(moves)))
    require(different == len(moves), f"{len(moves)} particles started at one point, and now {together(different)}")


def together(different):
    """In words: how many places are left."""
    return "all are still together" if different == 1 else f"they are at {different} points"


def run_either(student, function, name, *args):
    """student.run(function, module, *args), in float32 if the student's code cannot do float64.

    `name` is the student's function that `function` calls: if it is missing, that is what the student reads.
    """
    require(student.has(name), f"{name} is not defined in your file")
    try:
        return student.run(function, student.module, *args)
    except StudentError as error:
        if error.kind != "exception":
            raise
        try:
            with student.dtype("float32"):
                single = [arg.float() if isinstance(arg, torch.Tensor) else arg for arg in args]
                return student.run(function, student.module, *single)
        except StudentError:
            raise error from None


def points_asked(spy):
    """All points at which a recorded function was evaluated, (N, d); None if they could not be seen.

    They cannot inside a transform such as vmap; then the values of the result must speak.
    """
    rows = []
    for call in spy.calls:
        first = (*call.args, *call.kwargs.values())[0]
        if isinstance(first, str):
            return None
        values = torch.as_tensor(first, dtype=torch.float64)
        rows.append(values.reshape(-1, values.shape[-1]))
    return torch.cat(rows) if rows else None


def levels_asked(spy):
    """(sigma, number of points) of every recorded call score_fn(x, sigma); None if they could not be seen."""
    asked = []
    for call in spy.calls:
        inputs = (*call.args, *call.kwargs.values())
        if any(isinstance(value, str) for value in inputs):
            return None
        x, sigmas = (torch.as_tensor(value, dtype=torch.float64) for value in inputs[:2])
        sigma = float(sigmas.flatten()[0])
        require((sigmas == sigma).all(), "one call of score_fn mixes several noise levels")
        asked.append((sigma, x.numel() // x.shape[-1]))
    return asked
