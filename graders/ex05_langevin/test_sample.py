"""Part 5.3: the Langevin sampler, against the exact law of the algorithm on Gaussian targets."""

import torch
from langevin_oracles import (
    array_of,
    constant_score,
    last_state,
    linear_score,
    mixture_score,
    normal_noise,
    note_spread,
    require_parted,
    trajectory,
)

from gdgrade.checks import (
    agrees,
    attempts,
    check,
    covariance_test,
    mean_z,
    require,
    well_formed,
    within_mode_mean,
    within_mode_variance,
)


@check("5.3", points=1)
def test_given_noises(student, draw):
    """With the noises given, the last state on a Gaussian target follows the exact affine recursion."""
    precision, mean = draw.spd(3), draw.normal(3)
    x0, noises = draw.normal(4, 3, scale=3.0), draw.normal(6, 4, 3)

    def recursion(score_fn, x0, eta, n_steps, noises):
        return affine_states(precision, mean, x0, eta, noises)[-1]

    inputs, words = (linear_score(precision, mean), x0, 0.4, 6, noises), "one point per particle"
    agrees(student.langevin_sample, recursion, *inputs, pick=last_state, name="last state", means=words)


@check("5.3", points=0.5)
def test_trajectory(student, draw):
    """The trajectory holds the start and the state after every step."""
    precision, mean = draw.spd(2), draw.normal(2)
    x0, noises = draw.normal(3, 2, scale=3.0), draw.normal(5, 3, 2)

    def recursion(score_fn, x0, eta, n_steps, noises, return_traj):
        return affine_states(precision, mean, x0, eta, noises)

    inputs, words = (linear_score(precision, mean), x0, 0.4, 5, noises, True), "the start and every later state"
    agrees(student.langevin_sample, recursion, *inputs, pick=trajectory, name="trajectory", means=words)
    free = trajectory(student.langevin_sample(*inputs[:-2], return_traj=True))
    well_formed(free, torch.zeros(6, 3, 2), "trajectory without given noises", means=words)


@check("5.3", points=0.25)
def test_particles_part(student, draw):
    """Particles that start at one point, left to draw their own noise, end at different points."""
    n = 6
    x0 = draw.normal(1, 3).repeat(n, 1)  # not in the plane, where most try their code
    student.seed(draw.seed)
    result = student.langevin_sample(constant_score(2.0), x0, 0.3, 3)
    require_parted(array_of(last_state(result), (n, 3), "last state") - x0)


@check("5.3", points=0.25, alpha=1.25e-7)
def test_fresh_noise(student, draw):
    """Left to draw its own noise, the sampler draws it anew for every step and every particle, and in every call."""
    n, n_steps, eta, slope = 2000, 9, 0.3, 2.0
    drift = n_steps * eta / 2 * slope

    def trial(draw):
        student.seed(draw.seed)
        inputs = constant_score(slope), torch.zeros(n, 2), eta, n_steps
        results = [student.langevin_sample(*inputs) for _ in range(2)]
        first, second = (array_of(last_state(result), (n, 2), "last state") for result in results)
        note_spread(first, second, drift, n_steps * eta, n_steps)
        both = torch.cat([first, second], dim=1)  # a sampler that repeats its noise correlates the two
        variance = n_steps * eta
        tests = [mean_z(both, drift, variance**0.5), covariance_test(both, variance * torch.eye(4))]
        one_step = student.langevin_sample(constant_score(slope), torch.zeros(n, 2), eta, 1)  # a sum hides the shape
        moves = array_of(last_state(one_step), (n, 2), "last state")
        return [*tests, normal_noise(moves, eta / 2 * slope, eta**0.5)]

    attempts(draw, trial, message="particles from one point do not spread as independent noise spreads them")


@check("5.3", points=0.5, visibility="hidden", alpha=1.25e-7)
def test_law_on_gaussian(student, draw):
    """On a Gaussian target, 2,000 chains have the mean and covariance of the algorithm at this step size."""
    n, n_steps, eta = 2000, 25, 0.6
    precision, mean, start = draw.spd(2), draw.normal(2), draw.normal(2, scale=3.0)
    expected, covariance = affine_law(precision, mean, start, eta, n_steps)

    def trial(draw):
        student.seed(draw.seed)
        result = student.langevin_sample(linear_score(precision, mean), start.repeat(n, 1), eta, n_steps)
        x = array_of(last_state(result), (n, 2), "last state")
        return [mean_z(x, expected, covariance.diagonal().sqrt()), covariance_test(x, covariance)]

    attempts(draw, trial, message="the chains do not have the law of Langevin steps of this size")


@check("5.3", points=0.5, visibility="hidden", alpha=1.25e-7)
def test_spread_within_modes(student, draw):
    """On well separated modes, particles stay with theirs and spread as the step size says."""
    sigma, eta, n_steps = 0.3, 0.12, 15
    centres = torch.tensor([[-3.0, 0.0], [3.0, 2.0], [1.0, -5.0]])
    home = torch.repeat_interleave(torch.arange(3), torch.tensor([700, 500, 300]))
    _, covariance = affine_law(torch.eye(2) / sigma**2, torch.zeros(2), torch.zeros(2), eta, n_steps)

    def trial(draw):
        student.seed(draw.seed)
        result = student.langevin_sample(mixture_score(centres, sigma), centres[home], eta, n_steps)
        x = array_of(last_state(result), (len(home), 2), "last state")
        nearest = torch.cdist(x, centres).argmin(dim=1)
        require((nearest == home).all(), "particles leave modes from which Langevin steps cannot take them")
        variance = float(covariance[0, 0])
        return [within_mode_variance(x, centres, variance), within_mode_mean(x, centres, variance)]

    attempts(draw, trial, message="particles spread within their mode by a wrong amount")


# ---- what the checks know by themselves


def affine_states(precision, mean, x0, eta, noises):
    """All states of Langevin steps on N(mean, precision^-1): x' - m = (I - eta/2 P)(x - m) + sqrt(eta) n."""
    contraction = torch.eye(len(mean), dtype=x0.dtype) - eta / 2 * precision.to(x0)
    states = [x0 - mean.to(x0)]
    for noise in noises:
        states.append(states[-1] @ contraction + eta**0.5 * noise)
    return torch.stack(states) + mean.to(x0)


def affine_law(precision, mean, start, eta, n_steps):
    """Exact mean (d,) and covariance (d, d) after n_steps from the point `start`, for normal noise."""
    contraction = torch.eye(len(mean)) - eta / 2 * precision
    deviation, covariance = start - mean, torch.zeros_like(precision)
    for _ in range(n_steps):
        deviation = contraction @ deviation
        covariance = contraction @ covariance @ contraction + eta * torch.eye(len(mean))
    return mean + deviation, covariance
