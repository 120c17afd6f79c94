"""Part 7.3: the whole way, against exact recursions."""

import torch
from morphing_oracles import (
    PLAN_RTOL,
    array_of,
    bent_score,
    cloud,
    either,
    entropic_covariance,
    frames,
    last_frame,
    linear_score,
    moved,
    no_score,
    normal_grid,
    note_spread,
    pair,
    pull_of_pair,
    shift_of,
)

from gdgrade.checks import agrees, attempts, check, close, covariance_test, mean_z, observe, outside_fraction

FRAMES = "the start and every later frame"


@check("7.3", points=1)
def test_given_noises(student, reference, draw):
    """Every frame is one step after the one before it, with its own noise and a new plan."""
    x0, y, noises = cloud(draw, 6, 2), cloud(draw, 5, 2, centre=1.2), draw.normal(4, 6, 2)
    numbers = {"eta": 0.2, "lam": 1.5, "eps": 1.5, "n_steps": 4, "tau": 0.6, "noises": noises}

    def own_steps(x0, y, score_fn, eta, lam, eps, n_steps, tau, noises):
        """The same walk with the student's own step, so that a wrong step costs nothing here."""
        walk = [x0]
        for noise in noises:
            step = {"eta": eta, "lam": lam, "eps": eps, "tau": tau, "noise": noise}
            walk.append(array_of(student.score_ot_step(walk[-1], y, score_fn, **step), x0.shape, "your step"))
        return torch.stack(walk)

    inputs = x0, y, bent_score()
    words = {"pick": frames, "name": "frames", "means": FRAMES}
    either(student.morph, (reference.morph, own_steps), *inputs, **numbers, rtol=PLAN_RTOL, **words)


@check("7.3", points=0.5)
def test_start(student, draw):
    """There is one frame more than steps, and the first is the start."""
    x0, y, noises = cloud(draw, 5, 2), cloud(draw, 4, 2, centre=1.0), draw.normal(3, 5, 2)
    numbers = {"eta": 0.3, "lam": 1.0, "eps": 1.5, "n_steps": 3, "noises": noises}

    def standing(x0, y, score_fn, **numbers):
        return x0.repeat(4, 1, 1)

    def count_and_first(result):
        walk = frames(result)
        return len(walk), walk[0]

    words = {"pick": count_and_first, "name": "number of frames, and the first of them"}
    agrees(student.morph, standing, x0, y, bent_score(), **numbers, **words)


@check("7.3", points=0.5)
def test_last_frame_alone(student, draw):
    """With return_traj=False only the last frame comes back."""
    x0, y, noises = cloud(draw, 5, 2), cloud(draw, 4, 2, centre=1.0), draw.normal(3, 5, 2)
    numbers = {"eta": 0.3, "lam": 1.0, "eps": 1.5, "n_steps": 3, "noises": noises}
    due = moved(student, x0, y, bent_score(), shape=(4, 5, 2), **numbers)[-1]

    def end(x0, y, score_fn, **numbers):
        return due

    inputs, more = (x0, y, bent_score()), {"return_traj": False, "pick": last_frame, "rtol": 1e-6}
    agrees(student.morph, end, *inputs, **numbers, **more, name="last frame", means="one point per particle")


@check("7.3", points=0.5, needs=("7.2",))
def test_without_transport(student, draw):
    """At lam = 0 and a Gaussian target the frames follow the exact recursion of Langevin dynamics."""
    mean, variance = draw.normal(2), 0.7
    x0, y, noises = cloud(draw, 4, 2, centre=2.0), cloud(draw, 3, 2), draw.normal(6, 4, 2)

    def recursion(x0, y, score_fn, eta, lam, eps, n_steps, noises, tau=1.0):
        deviations = [x0 - mean]
        for noise in noises:
            deviations.append((1 - eta / (2 * variance)) * deviations[-1] + eta**0.5 * tau * noise)
        return mean + torch.stack(deviations)

    numbers = {"eta": 0.4, "lam": 0.0, "eps": 1.5, "n_steps": 6, "noises": noises}
    inputs = x0, y, linear_score(mean, variance)
    for temperature in ({"tau": 0.8}, {}):  # left out, it is 1
        agrees(student.morph, recursion, *inputs, **numbers, **temperature, pick=frames, name="frames", means=FRAMES)


@check("7.3", points=0.5, needs=("7.1", "7.2"), visibility="hidden")
def test_two_particles(student, draw):
    """Two particles follow the recursion that two-by-two transport gives by hand."""
    arm, target_arm = torch.tensor([0.9, 0.3]), shift_of(draw, 2, 0.5, 1.0).abs()
    middle, target_middle = draw.normal(2), draw.normal(2)

    def recursion(x0, y, score_fn, eta, lam, eps, n_steps, tau):
        at, long = middle, arm
        walk = [x0]
        for _ in range(n_steps):
            at = at + eta * lam * (target_middle - at)
            long = long + eta * lam * (pull_of_pair(long, target_arm, eps) - pull_of_pair(long, long, eps))
            walk.append(pair(at, long))
        return torch.stack(walk)

    inputs = pair(middle, arm), pair(target_middle, -target_arm), no_score()
    numbers = {"eta": 0.3, "lam": 1.0, "eps": 1.5, "n_steps": 8, "tau": 0.0}
    words = {"pick": frames, "name": "frames", "means": FRAMES}
    agrees(student.morph, recursion, *inputs, **numbers, rtol=PLAN_RTOL, **words)


@check("7.3", points=0.5, needs=("7.1", "7.2"), visibility="hidden")
def test_gaussians_on_a_line(student, draw):
    """From one Gaussian to another on the line, mean and variance follow the closed-form entropic map."""
    n, n_steps, eta, lam, eps = 40, 6, 0.25, 1.5, 1.5
    mean, variance, target_mean, target_variance = float(draw.normal(1, mean=-2.0, scale=0.3)), 0.4, 1.0, 1.2
    grid = normal_grid(n)[:, None]
    x0, y = mean + variance**0.5 * grid, target_mean + target_variance**0.5 * grid[draw.permutation(n)]
    numbers = {"eta": eta, "lam": lam, "eps": eps, "n_steps": n_steps, "tau": 0.0}
    score = linear_score(torch.tensor([target_mean]), target_variance)
    walk = moved(student, x0, y, score, shape=(n_steps + 1, n, 1), **numbers)
    means, variances = [mean], [variance]
    for _ in range(n_steps):
        now = variances[-1]
        stretch = entropic_covariance(now, target_variance, eps) - entropic_covariance(now, now, eps)
        slope = 1 - eta / (2 * target_variance) + eta * lam * stretch / now
        means.append(means[-1] + (eta / (2 * target_variance) + eta * lam) * (target_mean - means[-1]))
        variances.append(slope**2 * now)
    close(walk.mean(dim=(1, 2)), torch.tensor(means), "mean of every frame", rtol=1e-2)
    # forty quantiles are not quite a Gaussian: the right answer is off by 0.15 %
    close(walk.var(dim=(1, 2), unbiased=False), torch.tensor(variances), "variance of every frame", rtol=1e-2)


@check("7.3", points=0.5, needs=("7.2",), visibility="hidden", alpha=1.25e-7)
def test_fresh_noise(student, draw):
    """Left to draw its own noise, the morph draws it anew in every step and call, for every particle."""
    n, n_steps, eta, tau = 150, 3, 0.3, 0.5
    x0, y, variance = torch.zeros(n, 2), torch.zeros(3, 2), eta * tau**2
    numbers = {"eta": eta, "lam": 0.0, "eps": 1.5, "n_steps": n_steps, "tau": tau}

    def trial(draw):
        student.seed(draw.seed)
        walks = [moved(student, x0, y, no_score(), shape=(n_steps + 1, n, 2), **numbers) for _ in range(2)]
        note_spread(observe, walks[0][-1], n_steps * variance)
        observe("the same walk again", bool(torch.equal(*walks)))
        observe("steps that move", [bool(move.any()) for move in walks[0].diff(dim=0)])
        # (n, 4 n_steps): noise that is used again, in another step or in the next call, correlates the columns
        joint = torch.cat([move for walk in walks for move in walk.diff(dim=0)], dim=1)
        # Uniform noise of this variance ends at 1.73 sd, signs are all at 1 sd: 8 % of normal noise lie beyond 1.75.
        far_out = outside_fraction(joint.flatten(), [0.0], variance**0.5, radius=1.75)
        covariance = covariance_test(joint, variance * torch.eye(4 * n_steps))
        return [mean_z(joint, 0.0, variance**0.5), covariance, far_out]

    attempts(draw, trial, message="free particles do not spread as fresh noise in every step and call spreads them")
