"""Part 4.2: noising clean data."""

import torch
from ddpm_oracles import Recipe, noised, schedule_of
from ddpm_worker import WithSchedule

from gdgrade.checks import agrees, attempts, check, close, covariance_test, mean_z, observe, outside_fraction, require

RECIPE = Recipe(60)
SCHEDULE = schedule_of(*RECIPE)


def by_row(x0, t, schedule, noise):
    """x_t sample by sample, so that no axis can be mistaken for another."""
    return noised(x0, t, schedule["abar"], noise)


@check("4.2", points=0.75)
def test_given_noise(student, draw):
    """With the noise given, points and images are noised to the level of their own step."""
    for shape in ((5, 3), (4, 1, 6, 5)):
        x0, noise = draw.normal(*shape, scale=2.0), draw.normal(*shape)
        t = torch.tensor([0, 9, 24, 41, 59][: shape[0]])
        inputs, words = (x0, t, SCHEDULE, noise), "the shape of x0"
        agrees(WithSchedule(student, "q_sample", RECIPE), by_row, *inputs, name="x_t", means=words)


@check("4.2", points=0.5)
def test_as_many_samples_as_pixels(student, draw):
    """The level belongs to the sample, also when the batch is as large as a side of the image."""
    for shape in ((28, 1, 28, 28), (3, 3)):
        x0, noise = draw.normal(*shape, scale=2.0), draw.normal(*shape)
        t = draw.permutation(60)[: shape[0]]
        inputs, words = (x0, t, SCHEDULE, noise), "the shape of x0"
        agrees(WithSchedule(student, "q_sample", RECIPE), by_row, *inputs, name="x_t", means=words)


@check("4.2", points=0.5, visibility="hidden")
def test_single_steps_add_up(student):
    """One draw has the mean and the variance that single steps, one after the other, lead to."""
    q_sample, T = WithSchedule(student, "q_sample", RECIPE), RECIPE.T
    t, ones, zeros = torch.arange(T), torch.ones(T, 1), torch.zeros(T, 1)
    mean, deviation = q_sample(ones, t, SCHEDULE, zeros), q_sample(zeros, t, SCHEDULE, ones)
    means, variances = [torch.ones(())], [torch.zeros(())]
    for beta in SCHEDULE["betas"]:  # x -> sqrt(1 - beta) x + sqrt(beta) n
        means.append((1 - beta).sqrt() * means[-1])
        variances.append((1 - beta) * variances[-1] + beta)
    close(mean, torch.stack(means[1:])[:, None], "mean of x_t, from data 1", rtol=1e-6)
    require(getattr(deviation, "shape", None) == (T, 1), "x_t must have the shape of x0")
    close(deviation**2, torch.stack(variances[1:])[:, None], "variance of x_t, from fixed data", rtol=1e-6)


@check("4.2", points=0.25, visibility="hidden", alpha=1.25e-7)
def test_fresh_noise(student, draw):
    """Left to draw its own noise, it draws it anew for every sample, coordinate and call."""
    n = 3000
    q_sample = WithSchedule(student, "q_sample", RECIPE)

    def trial(draw):
        student.seed(draw.seed)
        t = draw.integers(5, 60, n)
        spread = (1 - SCHEDULE["abar"][t]).sqrt()[:, None]
        calls = [q_sample(torch.zeros(n, 2), t, SCHEDULE) for _ in range(2)]
        for call in calls:
            require(getattr(call, "shape", None) == (n, 2), "x_t must have the shape of x0")
        noise = torch.cat([torch.as_tensor(call).double() / spread for call in calls], dim=1)
        observe("different rows", len(noise[:, :2].unique(dim=0)))
        centred = noise - noise.mean()
        # 1.8 if the noise is uniform, whatever its range, and 3 or more if it is normal, whatever its spread
        observe("flat", float((centred**4).mean()) < 2.4 * float((centred**2).mean()) ** 2)
        observe("twice the mean", round(2 * float(noise.mean())))
        observe("noise doublings", round(float(noise.var().log2())) if float(noise.var()) > 0 else None)
        # Uniform noise of this variance ends at 1.73, signs are all at 1: 8 % of normal noise lie beyond 1.75.
        far_out = outside_fraction(noise.flatten(), [0.0], 1.0, radius=1.75)
        return [mean_z(noise, 0.0, 1.0), covariance_test(noise, torch.eye(4)), far_out]

    attempts(draw, trial, message="the noise of fixed data is not standard normal, or not independent")
