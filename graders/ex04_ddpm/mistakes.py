"""Known wrong answers of exercise 4, as overrides of the reference. Hints are questions, never the answer."""

import functools
import math

import torch
import torch.nn.functional as F

from gdgrade.mistakes import mistake as any_check_mistake

# Trainings take seconds each: nobody is told apart by repeating them.
EXACT = ("schedule/", "forward/", "loss/", "clean/", "step/", "chain/", "embedding/", "unet/", "ddim/")
mistake = functools.partial(any_check_mistake, checks=EXACT)


def per_sample(values, x):
    """(B,) -> (B, 1, ..., 1)."""
    return values.view(values.shape[0], *(1,) * (x.dim() - 1))


def drawn(x, noise):
    """The given noise, or fresh noise."""
    return torch.randn_like(x) if noise is None else noise


# ---- 4.1 schedule


def packed(betas, abar=None):
    """A schedule with these betas."""
    return {"betas": betas, "alphas": 1 - betas, "abar": (1 - betas).cumprod(0) if abar is None else abar}


@mistake(
    of="linear_schedule",
    title="the betas are not rescaled for T steps",
    hint="With 50 steps, is what remains of the signal at the end really nothing?",
)
def schedule_not_rescaled(ref, T, beta_min=1e-4, beta_max=0.02, scale=True):
    return packed(torch.linspace(beta_min, beta_max, T))


@mistake(
    of="linear_schedule",
    title="the betas are rescaled even when that was switched off",
    hint="What does your function do with its last argument?",
)
def schedule_always_rescaled(ref, T, beta_min=1e-4, beta_max=0.02, scale=True):
    return packed(torch.linspace(beta_min, beta_max, T) * 1000 / T)


@mistake(
    of="linear_schedule",
    title="only the last beta is rescaled",
    hint="By what factor does the first of your betas differ from the one of 1000 steps?",
)
def schedule_only_end_rescaled(ref, T, beta_min=1e-4, beta_max=0.02, scale=True):
    return packed(torch.linspace(beta_min, beta_max * (1000 / T if scale else 1), T))


@mistake(
    of="linear_schedule",
    title="the betas are multiplied by T/1000",
    hint="With fewer steps, must each of them add more noise or less?",
)
def schedule_rescaled_the_wrong_way(ref, T, beta_min=1e-4, beta_max=0.02, scale=True):
    return packed(torch.linspace(beta_min, beta_max, T) * (T / 1000 if scale else 1))


@mistake(
    of="linear_schedule",
    title="the last beta is left out, as a range leaves out its end",
    hint="Print your first and your last beta. Are they the two that were given?",
)
def schedule_without_end(ref, T, beta_min=1e-4, beta_max=0.02, scale=True):
    steps = torch.arange(T, dtype=torch.get_default_dtype()) / T
    return packed((beta_min + (beta_max - beta_min) * steps) * (1000 / T if scale else 1))


@mistake(
    of="linear_schedule",
    title="abar starts at 1: the product leaves out the step itself",
    hint="How much of the signal is left after the very first step?",
)
def schedule_abar_starts_at_one(ref, T, beta_min=1e-4, beta_max=0.02, scale=True):
    right = packed(torch.linspace(beta_min, beta_max, T) * (1000 / T if scale else 1))
    return {**right, "abar": torch.cat([torch.ones(1), right["abar"][:-1]])}


@mistake(
    of="linear_schedule",
    title="abar is the product of the betas",
    hint="Of what does each step keep a share: of the noise or of the signal?",
)
def schedule_product_of_betas(ref, T, beta_min=1e-4, beta_max=0.02, scale=True):
    betas = torch.linspace(beta_min, beta_max, T) * (1000 / T if scale else 1)
    return packed(betas, betas.cumprod(0))


@mistake(
    of="linear_schedule",
    title="abar is one minus the sum of the betas",
    hint="Does the second step take its share from the whole signal, or from what the first one left?",
)
def schedule_sum_of_betas(ref, T, beta_min=1e-4, beta_max=0.02, scale=True):
    betas = torch.linspace(beta_min, beta_max, T) * (1000 / T if scale else 1)
    return packed(betas, 1 - betas.cumsum(0))


@mistake(
    of="linear_schedule",
    title="abar is stored as its square root",
    hint="Does abar multiply a variance or an amplitude?",
    kind="convention",
)
def schedule_root_of_abar(ref, T, beta_min=1e-4, beta_max=0.02, scale=True):
    right = packed(torch.linspace(beta_min, beta_max, T) * (1000 / T if scale else 1))
    return {**right, "abar": right["abar"].sqrt()}


@mistake(
    of="linear_schedule",
    title="the square roots of the betas grow linearly (the schedule of latent diffusion)",
    hint="Which quantity is to grow linearly in this assignment?",
    kind="convention",
)
def schedule_linear_in_the_root(ref, T, beta_min=1e-4, beta_max=0.02, scale=True):
    return packed(torch.linspace(beta_min**0.5, beta_max**0.5, T) ** 2 * (1000 / T if scale else 1))


# ---- 4.2 forward process (the loss of 4.3 inherits these)


def mixed(x0, t, schedule, noise, signal, spread):
    """signal(abar) x0 + spread(abar) noise."""
    abar = per_sample(schedule["abar"][t].to(x0.dtype), x0)
    return signal(abar) * x0 + spread(abar) * drawn(x0, noise)


@mistake(
    of="q_sample",
    title="no square roots: abar x0 + (1 - abar) noise",
    hint="If the data have variance 1, what is the variance of your x_t half-way?",
)
def forward_without_roots(ref, x0, t, schedule, noise=None):
    return mixed(x0, t, schedule, noise, lambda a: a, lambda a: 1 - a)


@mistake(
    of="q_sample",
    title="the noise has the factor 1 - abar, without the root",
    hint="Is 1 - abar the variance or the standard deviation of what you add?",
)
def forward_noise_without_root(ref, x0, t, schedule, noise=None):
    return mixed(x0, t, schedule, noise, lambda a: a.sqrt(), lambda a: 1 - a)


@mistake(
    of="q_sample",
    title="signal and noise have each other's factor",
    hint="At t = 0, should x_t look like the data or like noise?",
)
def forward_swapped(ref, x0, t, schedule, noise=None):
    return mixed(x0, t, schedule, noise, lambda a: (1 - a).sqrt(), lambda a: a.sqrt())


@mistake(
    of="q_sample",
    title="alpha of one step instead of the product over all steps",
    hint="Does your x_t contain the noise of one step or of all steps so far?",
)
def forward_alpha_without_bar(ref, x0, t, schedule, noise=None):
    return mixed(x0, t, {"abar": schedule["alphas"]}, noise, lambda a: a.sqrt(), lambda a: (1 - a).sqrt())


@mistake(
    of="q_sample",
    title="one index too early: abar of the step before",
    hint="What is your x_t at t = 0, and has the first step been taken by then?",
)
def forward_one_step_early(ref, x0, t, schedule, noise=None):
    shifted = torch.cat([torch.ones_like(schedule["abar"][:1]), schedule["abar"][:-1]])
    return mixed(x0, t, {"abar": shifted}, noise, lambda a: a.sqrt(), lambda a: (1 - a).sqrt())


@mistake(
    of="q_sample",
    title="the level meets the last axis instead of the batch",
    hint="What happens for a batch of 28 images, and what for one of 27?",
)
def forward_level_on_the_last_axis(ref, x0, t, schedule, noise=None):
    abar = schedule["abar"][t].to(x0.dtype)
    return abar.sqrt() * x0 + (1 - abar).sqrt() * drawn(x0, noise)


@mistake(
    of="q_sample",
    title="all samples are noised to the level of the first",
    hint="How many different levels of noise does a batch of yours contain?",
)
def forward_level_of_the_first(ref, x0, t, schedule, noise=None):
    return mixed(x0, t[:1].expand(len(t)), schedule, noise, lambda a: a.sqrt(), lambda a: (1 - a).sqrt())


@mistake(
    of="q_sample",
    title="all samples share one noise",
    hint="Noise two copies of one image to the same level: can you tell them apart?",
    checks=("forward/fresh_noise",),
    seen_by="chance",
)
def forward_noise_shared(ref, x0, t, schedule, noise=None):
    noise = torch.randn_like(x0[:1]).expand_as(x0) if noise is None else noise
    return mixed(x0, t, schedule, noise, lambda a: a.sqrt(), lambda a: (1 - a).sqrt())


@mistake(
    of="q_sample",
    title="uniform noise instead of normal noise",
    hint="Which function of torch did you draw the noise with, and what are its mean and variance?",
    checks=("forward/fresh_noise",),
    seen_by="chance",
)
def forward_noise_uniform(ref, x0, t, schedule, noise=None):
    noise = torch.rand_like(x0) if noise is None else noise
    return mixed(x0, t, schedule, noise, lambda a: a.sqrt(), lambda a: (1 - a).sqrt())


@mistake(
    of="q_sample",
    title="uniform noise from -1 to 1 instead of normal noise",
    hint="Your noise has the mean of a standard normal one. Has it its variance, and can it be as large as 3?",
    checks=("forward/fresh_noise",),
    seen_by="chance",
)
def forward_noise_between_minus_one_and_one(ref, x0, t, schedule, noise=None):
    noise = 2 * torch.rand_like(x0) - 1 if noise is None else noise
    return mixed(x0, t, schedule, noise, lambda a: a.sqrt(), lambda a: (1 - a).sqrt())


@mistake(
    of="q_sample",
    title="the level gets one axis more, which is right for points only",
    hint="Which shape must the levels of B images have, so that each multiplies its own image (C, H, W)?",
)
def forward_level_for_points_only(ref, x0, t, schedule, noise=None):
    level = schedule["abar"][t].to(x0.dtype)[:, None]
    return level.sqrt() * x0 + (1 - level).sqrt() * drawn(x0, noise)


# ---- 4.3 loss


def parts_of_loss(ref, model, x0, schedule, t, noise):
    """t, noise, x_t and the network's answer."""
    noise = drawn(x0, noise)
    t = torch.randint(len(schedule["betas"]), (len(x0),)) if t is None else t
    x_t = ref.q_sample(x0, t, schedule, noise)
    return t, noise, x_t, model(x_t, t)


@mistake(
    of="ddpm_loss",
    title="the sum over the numbers of a sample instead of their mean",
    hint="What is your loss for the network that always answers 0, for small and for large images?",
    kind="convention",
)
def loss_sum_over_pixels(ref, model, x0, schedule, t=None, noise=None):
    _, noise, _, guess = parts_of_loss(ref, model, x0, schedule, t, noise)
    return (guess - noise).square().flatten(1).sum(1).mean()


@mistake(
    of="ddpm_loss",
    title="the sum over everything",
    hint="What happens to your loss when every sample of the batch is there twice?",
    kind="convention",
)
def loss_sum_over_everything(ref, model, x0, schedule, t=None, noise=None):
    _, noise, _, guess = parts_of_loss(ref, model, x0, schedule, t, noise)
    return (guess - noise).square().sum()


@mistake(
    of="ddpm_loss",
    title="half the mean of the squares",
    hint="Which constant does the statement put in front of the squares, and which do you?",
    kind="convention",
)
def loss_half(ref, model, x0, schedule, t=None, noise=None):
    _, noise, _, guess = parts_of_loss(ref, model, x0, schedule, t, noise)
    return (guess - noise).square().mean() / 2


@mistake(
    of="ddpm_loss",
    title="absolute values instead of squares",
    hint="Of which error does the statement take the mean?",
)
def loss_absolute(ref, model, x0, schedule, t=None, noise=None):
    _, noise, _, guess = parts_of_loss(ref, model, x0, schedule, t, noise)
    return (guess - noise).abs().mean()


@mistake(
    of="ddpm_loss",
    title="the Huber loss instead of the mean of the squares",
    hint="Which power of a large error does your loss grow with, and which one does the formula have?",
    kind="convention",
)
def loss_huber(ref, model, x0, schedule, t=None, noise=None):
    _, noise, _, guess = parts_of_loss(ref, model, x0, schedule, t, noise)
    return F.smooth_l1_loss(guess, noise)


@mistake(
    of="ddpm_loss",
    title="the root of the mean of the squares",
    hint="Is it the length of the error or its square that the statement asks for?",
)
def loss_root(ref, model, x0, schedule, t=None, noise=None):
    _, noise, _, guess = parts_of_loss(ref, model, x0, schedule, t, noise)
    return (guess - noise).square().mean().sqrt()


@mistake(
    of="ddpm_loss",
    title="the network is trained to find the clean data",
    hint="What does your network predict, and what does your sampler take its answer for?",
)
def loss_target_clean(ref, model, x0, schedule, t=None, noise=None):
    _, _, _, guess = parts_of_loss(ref, model, x0, schedule, t, noise)
    return (guess - x0).square().mean()


@mistake(
    of="ddpm_loss",
    title="the network is trained to return its input",
    hint="What would a network have to do to bring your loss to zero?",
)
def loss_target_noised(ref, model, x0, schedule, t=None, noise=None):
    _, _, x_t, guess = parts_of_loss(ref, model, x0, schedule, t, noise)
    return (guess - x_t).square().mean()


@mistake(
    of="ddpm_loss",
    title="the network sees the clean data",
    hint="Which data does the sampler show the network, and which does your loss?",
)
def loss_shows_clean_data(ref, model, x0, schedule, t=None, noise=None):
    t, noise, _, _ = parts_of_loss(ref, model, x0, schedule, t, noise)
    return (model(x0, t) - noise).square().mean()


@mistake(
    of="ddpm_loss",
    title="the noise in the data and the noise in the target are drawn apart",
    hint="Is the noise that your network shall find the one that it was shown?",
    checks=("loss/zero_for_one_point", "loss/draws_noise"),
)
def loss_other_noise(ref, model, x0, schedule, t=None, noise=None):
    t = torch.randint(len(schedule["betas"]), (len(x0),)) if t is None else t
    return (model(ref.q_sample(x0, t, schedule, noise), t) - drawn(x0, noise)).square().mean()


@mistake(
    of="ddpm_loss",
    title="the network is told t / T",
    hint="Does the network see the same coding of t in training and in sampling?",
    kind="convention",
)
def loss_tells_fraction(ref, model, x0, schedule, t=None, noise=None):
    T = len(schedule["betas"])
    _, _, _, _ = parts_of_loss(ref, lambda x, t: x, x0, schedule, t, noise)
    noise = drawn(x0, noise)
    t = torch.randint(T, (len(x0),)) if t is None else t
    return (model(ref.q_sample(x0, t, schedule, noise), t / T) - noise).square().mean()


@mistake(
    of="ddpm_loss",
    title="the data are rescaled from [0, 1] inside the loss",
    hint="In which range are the data that come in, and in which are those that you noise?",
)
def loss_rescales_data(ref, model, x0, schedule, t=None, noise=None):
    _, noise, _, guess = parts_of_loss(ref, model, 2 * x0 - 1, schedule, t, noise)
    return (guess - noise).square().mean()


@mistake(
    of="ddpm_loss",
    title="the largest t is never drawn",
    hint="Draw ten thousand steps: which is the largest?",
    checks=("loss/draws_t",),
    seen_by="chance",
)
def loss_never_draws_the_last(ref, model, x0, schedule, t=None, noise=None):
    t = torch.randint(0, len(schedule["betas"]) - 1, (len(x0),)) if t is None else t
    return (model(ref.q_sample(x0, t, schedule, noise := drawn(x0, noise)), t) - noise).square().mean()


@mistake(
    of="ddpm_loss",
    title="t = 0 is never drawn",
    hint="Draw ten thousand steps: which is the smallest?",
    checks=("loss/draws_t",),
    seen_by="chance",
)
def loss_never_draws_the_first(ref, model, x0, schedule, t=None, noise=None):
    t = torch.randint(1, len(schedule["betas"]), (len(x0),)) if t is None else t
    return (model(ref.q_sample(x0, t, schedule, noise := drawn(x0, noise)), t) - noise).square().mean()


@mistake(
    of="ddpm_loss",
    title="one t for the whole batch",
    hint="How many different levels of noise does a batch of yours contain?",
    checks=("loss/draws_t",),
    seen_by="chance",
)
def loss_one_t_per_batch(ref, model, x0, schedule, t=None, noise=None):
    t = torch.randint(0, len(schedule["betas"]), (1,)).expand(len(x0)) if t is None else t
    return (model(ref.q_sample(x0, t, schedule, noise := drawn(x0, noise)), t) - noise).square().mean()


@mistake(
    of="ddpm_loss",
    title="the network's answer is detached",
    hint="From where does the gradient of the loss reach the network?",
    checks=("loss/trains_a_network",),
)
def loss_detached(ref, model, x0, schedule, t=None, noise=None):
    _, noise, _, guess = parts_of_loss(ref, model, x0, schedule, t, noise)
    return (guess - noise).square().mean().detach()


# ---- 4.4 clean data and posterior


def clean_from(x_t, t, eps, schedule, formula):
    """formula(x_t, eps, abar)."""
    return formula(x_t, eps, per_sample(schedule["abar"][t].to(x_t.dtype), x_t))


@mistake(
    of="predict_x0",
    title="no square roots",
    hint="Put your own x_t in, with its noise: do the clean data come back?",
    checks=("clean/",),
)
def clean_without_roots(ref, x_t, t, eps, schedule):
    return clean_from(x_t, t, eps, schedule, lambda x, e, a: (x - (1 - a) * e) / a)


@mistake(
    of="predict_x0",
    title="divided by abar instead of its root",
    hint="By what did the forward process multiply the clean data?",
    checks=("clean/",),
)
def clean_over_abar(ref, x_t, t, eps, schedule):
    return clean_from(x_t, t, eps, schedule, lambda x, e, a: (x - (1 - a).sqrt() * e) / a)


@mistake(
    of="predict_x0",
    title="the signal is not rescaled after the noise is taken away",
    hint="With noise zero, is your result as large as the clean data?",
    checks=("clean/",),
)
def clean_not_rescaled(ref, x_t, t, eps, schedule):
    return clean_from(x_t, t, eps, schedule, lambda x, e, a: x - (1 - a).sqrt() * e)


@mistake(
    of="predict_x0",
    title="the whole noise is taken away, without its factor",
    hint="How much noise is in x_t at t = 0, and how much do you take away?",
    checks=("clean/",),
)
def clean_minus_whole_noise(ref, x_t, t, eps, schedule):
    return clean_from(x_t, t, eps, schedule, lambda x, e, a: (x - e) / a.sqrt())


@mistake(
    of="predict_x0",
    title="alpha of one step instead of the product over all steps",
    hint="Do you take away the noise of one step or of all steps so far?",
    checks=("clean/",),
)
def clean_alpha_without_bar(ref, x_t, t, eps, schedule):
    short = {"abar": schedule["alphas"]}
    return clean_from(x_t, t, eps, short, lambda x, e, a: (x - (1 - a).sqrt() * e) / a.sqrt())


@mistake(
    of="predict_x0",
    title="the result is clipped to [-1, 1]",
    hint="Which numbers can your function never return? Does its formula forbid them?",
    kind="convention",
    checks=("clean/",),
)
def clean_clipped(ref, x_t, t, eps, schedule):
    guess = clean_from(x_t, t, eps, schedule, lambda x, e, a: (x - (1 - a).sqrt() * e) / a.sqrt())
    return guess.clamp(-1, 1)


def posterior_parts(schedule, t, x):
    """beta, alpha, abar, abar before, each (B, 1, ..., 1)."""
    abar = schedule["abar"]
    prev = torch.cat([torch.ones_like(abar[:1]), abar])[t]
    return [
        per_sample(values.to(x.dtype), x) for values in (schedule["betas"][t], schedule["alphas"][t], abar[t], prev)
    ]


@mistake(
    of="q_posterior",
    title="clean and noised data have each other's weight",
    hint="Near t = 0, which of the two should the mean be close to?",
)
def posterior_swapped(ref, x0, x_t, t, schedule):
    b, a, ab, prev = posterior_parts(schedule, t, x_t)
    mean = (prev.sqrt() * b * x_t + a.sqrt() * (1 - prev) * x0) / (1 - ab)
    return mean, (1 - prev) / (1 - ab) * b


@mistake(
    of="q_posterior",
    title="before the first step, the last abar is looked up",
    hint="What does index -1 mean in Python, and what should it mean at t = 0?",
)
def posterior_wraps_around(ref, x0, x_t, t, schedule):
    b, a, ab, _ = posterior_parts(schedule, t, x_t)
    prev = per_sample(schedule["abar"][t - 1].to(x_t.dtype), x_t)
    mean = (prev.sqrt() * b * x0 + a.sqrt() * (1 - prev) * x_t) / (1 - ab)
    return mean, (1 - prev) / (1 - ab) * b


@mistake(
    of="q_posterior",
    title="abar of the step itself instead of the step before",
    hint="If the clean data are known, how sure is the state before the first step?",
)
def posterior_abar_of_the_step(ref, x0, x_t, t, schedule):
    b, a, ab, _ = posterior_parts(schedule, t, x_t)
    return (ab.sqrt() * b * x0) / (1 - ab) + a.sqrt() * x_t, b


@mistake(
    of="q_posterior",
    title="no roots in the weights of the mean",
    hint="Let x_t be its own mean given x0: does your posterior mean lie where the mean of the step before lies?",
)
def posterior_without_roots(ref, x0, x_t, t, schedule):
    b, a, ab, prev = posterior_parts(schedule, t, x_t)
    return (prev * b * x0 + a * (1 - prev) * x_t) / (1 - ab), (1 - prev) / (1 - ab) * b


@mistake(
    of="q_posterior",
    title="the variance is beta",
    hint="If you know where you came from and where you are, are you as unsure of the way as without knowing?",
)
def posterior_variance_beta(ref, x0, x_t, t, schedule):
    b, a, ab, prev = posterior_parts(schedule, t, x_t)
    return (prev.sqrt() * b * x0 + a.sqrt() * (1 - prev) * x_t) / (1 - ab), b


@mistake(
    of="q_posterior",
    title="the standard deviation instead of the variance",
    hint="In which unit is the second of your results, if x is measured in metres?",
    kind="convention",
)
def posterior_deviation(ref, x0, x_t, t, schedule):
    b, a, ab, prev = posterior_parts(schedule, t, x_t)
    mean = (prev.sqrt() * b * x0 + a.sqrt() * (1 - prev) * x_t) / (1 - ab)
    return mean, ((1 - prev) / (1 - ab) * b).sqrt()


@mistake(
    of="q_posterior",
    title="the logarithm of the variance",
    hint="May a variance be negative? Which of your two results is the law's second number itself?",
    kind="convention",
)
def posterior_log_variance(ref, x0, x_t, t, schedule):
    b, a, ab, prev = posterior_parts(schedule, t, x_t)
    mean = (prev.sqrt() * b * x0 + a.sqrt() * (1 - prev) * x_t) / (1 - ab)
    return mean, ((1 - prev) / (1 - ab) * b).clamp(min=1e-20).log()


@mistake(
    of="q_posterior",
    title="before the first step, the first abar is looked up",
    hint="How much of the signal is left before any step was taken?",
)
def posterior_first_abar_twice(ref, x0, x_t, t, schedule):
    b, a, ab, _ = posterior_parts(schedule, t, x_t)
    prev = per_sample(schedule["abar"][(t - 1).clamp(min=0)].to(x_t.dtype), x_t)
    return (prev.sqrt() * b * x0 + a.sqrt() * (1 - prev) * x_t) / (1 - ab), (1 - prev) / (1 - ab) * b


@mistake(
    of="q_posterior",
    title="the variance is kept from being zero",
    hint="At t = 0 the clean data are known. How sure is the step back there, and what does your bound make of it?",
    checks=("clean/posterior",),
)
def posterior_variance_kept_from_zero(ref, x0, x_t, t, schedule):
    b, a, ab, prev = posterior_parts(schedule, t, x_t)
    mean = (prev.sqrt() * b * x0 + a.sqrt() * (1 - prev) * x_t) / (1 - ab)
    return mean, ((1 - prev) / (1 - ab) * b).clamp(min=1e-6)


# ---- 4.5 ancestral step (the sampler of 4.6 inherits these)


def step_back(model, x, t, schedule, noise, weight=None, divide=True, deviation=None, last=True, index=None):
    """One step with a piece exchanged.

    Args:
        weight: (beta, alpha, abar) -> factor of the network's answer.
        divide: by the root of alpha.
        deviation: (beta, alpha, abar, abar before) -> factor of the noise.
        last: no noise at t = 0.
        index: t -> what the network is told.
    """
    b, a, ab = (schedule[key][t].to(x.dtype) for key in ("betas", "alphas", "abar"))
    prev = schedule["abar"][t - 1].to(x.dtype) if t > 0 else torch.ones_like(ab)
    told = torch.full((len(x),), t) if index is None else index(torch.full((len(x),), t))
    eps = model(x, told)
    factor = b / (1 - ab).sqrt() if weight is None else weight(b, a, ab)
    mean = x - factor * eps
    mean = mean / a.sqrt() if divide else mean
    if t == 0 and last:
        return mean
    return mean + (b.sqrt() if deviation is None else deviation(b, a, ab, prev)) * drawn(x, noise)


@mistake(
    of="p_sample",
    title="the noise is multiplied by beta",
    hint="What does the second argument of a normal law mean: a variance or a standard deviation?",
)
def step_noise_times_beta(ref, model, x_t, t, schedule, noise=None):
    return step_back(model, x_t, t, schedule, noise, deviation=lambda b, a, ab, prev: b)


@mistake(
    of="p_sample",
    title="noise is added in the last step as well",
    hint="Is your final image still noisy by design?",
)
def step_noise_at_the_end(ref, model, x_t, t, schedule, noise=None):
    return step_back(model, x_t, t, schedule, noise, last=False)


@mistake(
    of="p_sample",
    title="no noise at t = 1 either",
    hint="In how many steps does your sampler add no noise? Count from 0.",
)
def step_no_noise_at_one(ref, model, x_t, t, schedule, noise=None):
    return step_back(model, x_t, t, schedule, noise, deviation=lambda b, a, ab, prev: b.sqrt() if t > 1 else 0.0)


@mistake(
    of="p_sample",
    title="no noise at all",
    hint="Two runs from the same start: should they end at the same image?",
)
def step_without_noise(ref, model, x_t, t, schedule, noise=None):
    return step_back(model, x_t, t, schedule, noise, deviation=lambda b, a, ab, prev: 0.0)


@mistake(
    of="p_sample",
    title="alpha and abar are exchanged in the factor of the network's answer",
    hint="Which alpha has a bar?",
)
def step_bar_in_the_wrong_place(ref, model, x_t, t, schedule, noise=None):
    return step_back(model, x_t, t, schedule, noise, weight=lambda b, a, ab: (1 - ab) / (1 - a).sqrt())


@mistake(
    of="p_sample",
    title="alpha instead of abar under the root",
    hint="Is the network's answer the noise of one step or of all steps so far? Which alpha goes with it?",
)
def step_alpha_without_bar(ref, model, x_t, t, schedule, noise=None):
    return step_back(model, x_t, t, schedule, noise, weight=lambda b, a, ab: b / (1 - a).sqrt())


@mistake(
    of="p_sample",
    title="the root under beta is missing",
    hint="With one number per sample and no noise, does your mean equal the posterior's for the true noise?",
)
def step_without_root_below(ref, model, x_t, t, schedule, noise=None):
    return step_back(model, x_t, t, schedule, noise, weight=lambda b, a, ab: b / (1 - ab))


@mistake(
    of="p_sample",
    title="the whole noise is taken away at once",
    hint="How much of the noise should one step of many take away?",
)
def step_takes_all_noise(ref, model, x_t, t, schedule, noise=None):
    return step_back(model, x_t, t, schedule, noise, weight=lambda b, a, ab: (1 - ab).sqrt())


@mistake(
    of="p_sample",
    title="the mean is not divided by the root of alpha",
    hint="The forward step makes the signal smaller. Where does your step back make it larger again?",
)
def step_without_division(ref, model, x_t, t, schedule, noise=None):
    return step_back(model, x_t, t, schedule, noise, divide=False)


@mistake(
    of="p_sample",
    title="the network's noise is added, not taken away",
    hint="Does a step of yours make the image noisier or cleaner?",
)
def step_adds_the_noise(ref, model, x_t, t, schedule, noise=None):
    return step_back(model, x_t, t, schedule, noise, weight=lambda b, a, ab: -b / (1 - ab).sqrt())


@mistake(
    of="p_sample",
    title="the variance of the step is that of the posterior",
    hint="Two choices of the variance are in use; the assignment fixes one. Which one is yours?",
    kind="convention",
)
def step_posterior_variance(ref, model, x_t, t, schedule, noise=None):
    return step_back(
        model, x_t, t, schedule, noise, deviation=lambda b, a, ab, prev: ((1 - prev) / (1 - ab) * b).sqrt()
    )


@mistake(
    of="p_sample",
    title="the guess at the clean data is clipped to [-1, 1] in every step",
    hint="Try data that are far outside [-1, 1]: does your sampler find them?",
    kind="convention",
)
def step_clipped(ref, model, x_t, t, schedule, noise=None):
    index = torch.full((len(x_t),), t)
    x0 = ref.predict_x0(x_t, index, model(x_t, index), schedule).clamp(-1, 1)
    mean, _ = ref.q_posterior(x0, x_t, index, schedule)
    return mean if t == 0 else mean + schedule["betas"][t].sqrt() * drawn(x_t, noise)


@mistake(
    of="p_sample",
    title="the network is told t + 1",
    hint="With which indices was the network trained: from 0, or from 1?",
    kind="convention",
)
def step_tells_one_more(ref, model, x_t, t, schedule, noise=None):
    return step_back(model, x_t, t, schedule, noise, index=lambda t: t + 1)


@mistake(
    of="p_sample",
    title="the network is told t / T",
    hint="Does the network see the same coding of t in training and in sampling?",
    kind="convention",
)
def step_tells_fraction(ref, model, x_t, t, schedule, noise=None):
    return step_back(model, x_t, t, schedule, noise, index=lambda t: t / len(schedule["betas"]))


@mistake(
    of="p_sample",
    title="all samples share the noise of a step",
    hint="Start two samples at the same point: can they ever part?",
    checks=("step/fresh_noise",),
    seen_by="chance",
)
def step_noise_shared(ref, model, x_t, t, schedule, noise=None):
    noise = torch.randn_like(x_t[:1]).expand_as(x_t) if noise is None else noise
    return step_back(model, x_t, t, schedule, noise)


@mistake(
    of="p_sample",
    title="the network is told one t for the whole batch",
    hint="Which shape has the t on which the network was trained? Make the same one out of your int.",
    checks=("chain/every_step_once",),
)
def step_tells_one_t(ref, model, x_t, t, schedule, noise=None):
    return step_back(model, x_t, t, schedule, noise, index=lambda t: t[:1])


@mistake(
    of="p_sample",
    title="the network is told t as a floating number",
    hint="A network may look t up in a table. Which type must an index have?",
    checks=("chain/every_step_once",),
)
def step_tells_floats(ref, model, x_t, t, schedule, noise=None):
    return step_back(model, x_t, t, schedule, noise, index=lambda t: t.double())


# ---- 4.6 ancestral sampler


def walk(ref, model, shape, schedule, noises, steps, start=None, which=None):
    """The states of a run through the indices `steps`; `which` maps the number of a step to that of its noise."""
    with torch.no_grad():
        x = torch.randn(shape) if noises is None else noises[0]
        x = x if start is None else start(x)
        states = [x]
        for i, t in enumerate(steps):
            noise = None if noises is None else noises[1 + i if which is None else which(i)]
            states.append(ref.p_sample(model, states[-1], t, schedule, noise))
    return states


def result(states, return_traj):
    """What `sample` returns."""
    return (states[-1], torch.stack(states)) if return_traj else states[-1]


def down(schedule):
    """T-1, ..., 0."""
    return list(range(len(schedule["betas"])))[::-1]


@mistake(
    of="sample",
    title="the step at t = 0 is left out",
    hint="Print the indices of your loop: how many are there?",
)
def sample_stops_at_one(ref, model, shape, schedule, noises=None, return_traj=False):
    return result(walk(ref, model, shape, schedule, noises, down(schedule)[:-1]), return_traj)


@mistake(
    of="sample",
    title="the step at T-1 is left out",
    hint="Print the indices of your loop: which is the first?",
)
def sample_skips_the_first(ref, model, shape, schedule, noises=None, return_traj=False):
    return result(walk(ref, model, shape, schedule, noises, down(schedule)[1:]), return_traj)


@mistake(
    of="sample",
    title="the steps are taken from 0 up to T-1",
    hint="Which level of noise does the start have, and which network fits it?",
)
def sample_upwards(ref, model, shape, schedule, noises=None, return_traj=False):
    return result(walk(ref, model, shape, schedule, noises, down(schedule)[::-1]), return_traj)


@mistake(
    of="sample",
    title="it starts from zeros",
    hint="From which law does the chain start? Do two runs start at the same place?",
    checks=("chain/given_noises", "chain/trajectory"),
)
def sample_starts_from_zero(ref, model, shape, schedule, noises=None, return_traj=False):
    return result(walk(ref, model, shape, schedule, noises, down(schedule), torch.zeros_like), return_traj)


@mistake(
    of="sample",
    title="left to draw its own noise, it starts from zeros",
    hint="From which law does the chain start when no noises are given? Do two samples start at the same place?",
    checks=("chain/law_on_gaussian",),
    seen_by="chance",
)
def sample_own_start_is_zero(ref, model, shape, schedule, noises=None, return_traj=False):
    start = torch.zeros_like if noises is None else None
    return result(walk(ref, model, shape, schedule, noises, down(schedule), start), return_traj)


@mistake(
    of="sample",
    title="the start is used once more as the noise of the first step",
    hint="How many of the noises belong to the start, and which one is the next?",
)
def sample_start_used_twice(ref, model, shape, schedule, noises=None, return_traj=False):
    return result(walk(ref, model, shape, schedule, noises, down(schedule), which=lambda i: i), return_traj)


@mistake(
    of="sample",
    title="the same noise in every step",
    hint="Which of the noises does the tenth step of your loop use?",
)
def sample_noise_reused(ref, model, shape, schedule, noises=None, return_traj=False):
    fixed = torch.randn(len(schedule["betas"]) + 1, *shape) if noises is None else noises
    return result(walk(ref, model, shape, schedule, fixed, down(schedule), which=lambda i: 1), return_traj)


@mistake(
    of="sample",
    title="the noises are ignored",
    hint="Call your function twice with the same noises: are the results equal?",
    checks=("chain/given_noises", "chain/trajectory"),
)
def sample_noises_ignored(ref, model, shape, schedule, noises=None, return_traj=False):
    return result(walk(ref, model, shape, schedule, None, down(schedule)), return_traj)


@mistake(
    of="sample",
    title="only the start is taken from the noises",
    hint="Call your function twice with the same noises: are the results equal? Which noises does each step use?",
    checks=("chain/given_noises", "chain/trajectory"),
)
def sample_noises_of_steps_ignored(ref, model, shape, schedule, noises=None, return_traj=False):
    start = None if noises is None else noises[0]
    states = walk(ref, model, shape, schedule, None, down(schedule), None if start is None else lambda x: start)
    return result(states, return_traj)


@mistake(
    of="sample",
    title="the result is clipped to [-1, 1]",
    hint="Which numbers can your sampler never return? Who asked for that?",
    kind="convention",
)
def sample_clipped(ref, model, shape, schedule, noises=None, return_traj=False):
    states = walk(ref, model, shape, schedule, noises, down(schedule))
    return result([*states[:-1], states[-1].clamp(-1, 1)], return_traj)


@mistake(
    of="sample",
    title="the result is rescaled to [0, 1]",
    hint="In which range are the data of your network, and in which are your samples?",
    kind="convention",
)
def sample_rescaled(ref, model, shape, schedule, noises=None, return_traj=False):
    states = walk(ref, model, shape, schedule, noises, down(schedule))
    return result([*states[:-1], (states[-1] + 1) / 2], return_traj)


@mistake(
    of="sample",
    title="the trajectory lacks the start",
    hint="How many states, the start included, does a run of three steps have?",
    checks=("chain/trajectory",),
)
def sample_trajectory_without_start(ref, model, shape, schedule, noises=None, return_traj=False):
    states = walk(ref, model, shape, schedule, noises, down(schedule))
    return (states[-1], torch.stack(states[1:])) if return_traj else states[-1]


@mistake(
    of="sample",
    title="the trajectory runs from the data to the noise",
    hint="What is the first frame of your trajectory, and what should it be?",
    checks=("chain/trajectory",),
)
def sample_trajectory_backwards(ref, model, shape, schedule, noises=None, return_traj=False):
    states = walk(ref, model, shape, schedule, noises, down(schedule))
    return (states[-1], torch.stack(states[::-1])) if return_traj else states[-1]


@mistake(
    of="sample",
    title="all frames of the trajectory are the last state",
    hint="Do the entries of your list share their memory? What happens to the old ones when x changes?",
    checks=("chain/trajectory",),
)
def sample_trajectory_of_last_states(ref, model, shape, schedule, noises=None, return_traj=False):
    states = walk(ref, model, shape, schedule, noises, down(schedule))
    return (states[-1], torch.stack([states[-1]] * len(states))) if return_traj else states[-1]


@mistake(
    of="sample",
    title="gradients are recorded through the whole chain",
    hint="How much memory do a thousand evaluations of the network take while autograd watches?",
    checks=("chain/every_step_once",),
)
def sample_with_graph(ref, model, shape, schedule, noises=None, return_traj=False):
    x = torch.randn(shape) if noises is None else noises[0]
    for i, t in enumerate(down(schedule)):
        x = ref.p_sample(model, x, t, schedule, None if noises is None else noises[1 + i])
    return x


# ---- 4.7 code of the time


def code(t, dim, frequencies, join):
    """Sines and cosines of t at these frequencies of k (half,), joined."""
    half = dim // 2
    angles = t.to(torch.get_default_dtype())[:, None] * frequencies(torch.arange(half), half)
    return join(angles.sin(), angles.cos())


def side_by_side(s, c):
    return torch.cat([s, c], 1)


def usual(k, half):
    return 10000.0 ** (-k / half)


@mistake(
    of="time_embedding",
    title="sines and cosines alternate",
    hint="In which order does the statement list the sines and the cosines?",
    kind="convention",
)
def code_alternates(ref, t, dim):
    return code(t, dim, usual, lambda s, c: torch.stack([s, c], 2).flatten(1))


@mistake(
    of="time_embedding",
    title="the cosines come first",
    hint="What is the code of t = 0, and in which half are its ones?",
    kind="convention",
)
def code_cosines_first(ref, t, dim):
    return code(t, dim, usual, lambda s, c: torch.cat([c, s], 1))


@mistake(
    of="time_embedding",
    title="the last frequency is exactly 1/10000 (divided by half - 1)",
    hint="What is the smallest of your frequencies, and what is it in the statement?",
    kind="convention",
)
def code_to_the_end(ref, t, dim):
    return code(t, dim, lambda k, half: 10000.0 ** (-k / max(half - 1, 1)), side_by_side)


@mistake(
    of="time_embedding",
    title="the exponent is divided by dim",
    hint="What is the smallest of your frequencies for a long code? Which range should they span?",
)
def code_over_dim(ref, t, dim):
    return code(t, dim, lambda k, half: 10000.0 ** (-k / (2 * half)), side_by_side)


@mistake(
    of="time_embedding",
    title="the frequencies grow from 1 to 10000",
    hint="How far does your code turn between t = 0 and t = 1, in its fastest entry?",
)
def code_grows(ref, t, dim):
    return code(t, dim, lambda k, half: 10000.0 ** (k / half), side_by_side)


@mistake(
    of="time_embedding",
    title="a factor 2 pi in the angles",
    hint="What is the code of t = 1 in its first entry, and what is the sine of 1?",
    kind="convention",
)
def code_two_pi(ref, t, dim):
    return code(t, dim, lambda k, half: 2 * math.pi * usual(k, half), side_by_side)


# ---- 4.8 U-Net


@mistake(
    of="UNet",
    title="the time is ignored",
    hint="Is the output different for t = 0 and for t = T-1?",
    factory=True,
)
def unet_without_time(ref):
    class UNet(ref.UNet):
        def forward(self, x, t):
            return super().forward(x, torch.zeros_like(t))

    return UNet


@mistake(
    of="UNet",
    title="the first image's time is used for all",
    hint="Can two images of a batch be at different steps in your network?",
    factory=True,
)
def unet_time_of_the_first(ref):
    class UNet(ref.UNet):
        def forward(self, x, t):
            return super().forward(x, t[:1].expand(len(t)))

    return UNet


@mistake(
    of="UNet",
    title="batch normalisation",
    hint="Does image i depend on image j?",
    factory=True,
)
def unet_batch_norm(ref):
    class UNet(ref.UNet):
        def __init__(self, c=16):
            super().__init__(c)
            for block in (self.down1, self.down2, self.middle, self.up2, self.up1):
                block.norm1 = torch.nn.BatchNorm2d(block.norm1.num_channels)
                block.norm2 = torch.nn.BatchNorm2d(block.norm2.num_channels)

    return UNet


def pass_through(net, x, t, code, skips=(1, 1), halve=True, stop=lambda h: h):
    """The reference's forward pass with a piece exchanged."""
    time = net.time(code(t, net.d_time).to(x.dtype))
    h1 = net.down1(x, time)
    h2 = net.down2(F.avg_pool2d(h1, 2), time)
    h = net.middle(F.avg_pool2d(h2, 2) if halve else h2, time)
    h = stop(F.interpolate(h, size=h2.shape[-2:]))
    h = net.up2(torch.cat([h, skips[0] * h2], 1), time)
    h = net.up1(torch.cat([F.interpolate(h, size=h1.shape[-2:]), skips[1] * h1], 1), time)
    return net.out(h)


@mistake(
    of="UNet",
    title="no skip connections",
    hint="How does a fine detail of the noise get from the input to the output of your network?",
    factory=True,
)
def unet_without_skips(ref):
    class UNet(ref.UNet):
        def forward(self, x, t):
            return pass_through(self, x, t, ref.time_embedding, skips=(0, 0))

    return UNet


@mistake(
    of="UNet",
    title="a skip connection at full size only",
    hint="Which sizes does the way down produce, and what does the way up get of each?",
    factory=True,
)
def unet_one_skip(ref):
    class UNet(ref.UNet):
        def forward(self, x, t):
            return pass_through(self, x, t, ref.time_embedding, skips=(0, 1))

    return UNet


@mistake(
    of="UNet",
    title="a skip connection at half size only",
    hint="Which features of full size does the last block of your way up see that were never halved?",
    factory=True,
)
def unet_skip_at_half_size(ref):
    class UNet(ref.UNet):
        def forward(self, x, t):
            return pass_through(self, x, t, ref.time_embedding, skips=(1, 0))

    return UNet


@mistake(
    of="UNet",
    title="halved once only",
    hint="Which size do the smallest features of your network have for an image of 28x28?",
    factory=True,
)
def unet_halved_once(ref):
    class UNet(ref.UNet):
        def forward(self, x, t):
            return pass_through(self, x, t, ref.time_embedding, halve=False)

    return UNet


@mistake(
    of="UNet",
    title="the features are detached on their way up",
    hint="Which of your layers would never learn anything?",
    factory=True,
)
def unet_detached(ref):
    class UNet(ref.UNet):
        def forward(self, x, t):
            return pass_through(self, x, t, ref.time_embedding, stop=lambda h: h.detach())

    return UNet


@mistake(
    of="UNet",
    title="layers in a plain list",
    hint="Does the optimiser see all of your layers? How many numbers does parameters() list?",
    factory=True,
)
def unet_hidden_layers(ref):
    class UNet(ref.UNet):
        def __init__(self, c=16):
            super().__init__(c)
            self.kept = [self._modules.pop("down2"), self._modules.pop("middle")]

        def forward(self, x, t):
            self.__dict__["down2"], self.__dict__["middle"] = self.kept
            return super().forward(x, t)

    return UNet


# ---- 4.10 DDIM


def ddim(ref, model, x, t, t_prev, schedule, eta, noise, clean=None, spread=None, last=1.0):
    """One step with a piece exchanged; `last` is abar of the clean data."""
    ab = schedule["abar"][t].to(x.dtype)
    prev = torch.full_like(ab, last) if t_prev < 0 else schedule["abar"][t_prev].to(x.dtype)
    index = torch.full((len(x),), t)
    eps = model(x, index)
    x0 = ref.predict_x0(x, index, eps, schedule) if clean is None else clean(x, eps, ab)
    sigma = eta * ((1 - prev) / (1 - ab) * (1 - ab / prev)).sqrt() if spread is None else spread(ab, prev)
    x = prev.sqrt() * x0 + (1 - prev - sigma**2).clamp(min=0).sqrt() * eps
    return x + sigma * drawn(x, noise) if eta else x


@mistake(
    of="ddim_step",
    title="t_prev is taken to be t - 1",
    hint="From which level to which level do you go?",
)
def ddim_one_level(ref, model, x, t, t_prev, schedule, eta=0.0, noise=None):
    return ddim(ref, model, x, t, t - 1, schedule, eta, noise)


@mistake(
    of="ddim_step",
    title="the last step goes to abar of index 0, not to the clean data",
    hint="Is the last output clean?",
)
def ddim_never_clean(ref, model, x, t, t_prev, schedule, eta=0.0, noise=None):
    return ddim(ref, model, x, t, max(t_prev, 0), schedule, eta, noise)


@mistake(
    of="ddim_step",
    title="sigma is eta times the root of 1 - abar",
    hint="With eta = 1 and t_prev = t - 1, which known sampler should your step be?",
)
def ddim_other_sigma(ref, model, x, t, t_prev, schedule, eta=0.0, noise=None):
    return ddim(ref, model, x, t, t_prev, schedule, eta, noise, spread=lambda ab, prev: eta * (1 - prev).sqrt())


@mistake(
    of="ddim_step",
    title="beta of one step under the root of sigma",
    hint="How many single steps lie between t_prev and t? Which part of the signal's variance is lost in all of them?",
)
def ddim_beta_in_sigma(ref, model, x, t, t_prev, schedule, eta=0.0, noise=None):
    beta = schedule["betas"][t].to(x.dtype)
    spread = lambda ab, prev: eta * ((1 - prev) / (1 - ab) * beta).sqrt()  # noqa: E731
    return ddim(ref, model, x, t, t_prev, schedule, eta, noise, spread=spread)


@mistake(
    of="ddim_step",
    title="at t_prev = -1, the last abar is looked up",
    hint="What does index -1 mean in Python, and what should it mean for the clean data?",
)
def ddim_wraps_around(ref, model, x, t, t_prev, schedule, eta=0.0, noise=None):
    return ddim(ref, model, x, t, t_prev % len(schedule["abar"]), schedule, eta, noise)


@mistake(
    of="ddim_step",
    title="alpha instead of abar",
    hint="Which alpha belongs to all the noise so far?",
)
def ddim_alpha_without_bar(ref, model, x, t, t_prev, schedule, eta=0.0, noise=None):
    return ddim(ref, model, x, t, t_prev, {**schedule, "abar": schedule["alphas"]}, eta, noise)


@mistake(
    of="ddim_step",
    title="the guess at the clean data is divided by abar",
    hint="By what did the forward process multiply the clean data?",
)
def ddim_clean_over_abar(ref, model, x, t, t_prev, schedule, eta=0.0, noise=None):
    return ddim(ref, model, x, t, t_prev, schedule, eta, noise, clean=lambda x, e, ab: (x - (1 - ab).sqrt() * e) / ab)


@mistake(
    of="ddim_step",
    title="the guess at the clean data is clipped, the noise is not recomputed",
    hint="After you changed the guess at the clean data, do guess and noise still add up to x?",
    kind="convention",
)
def ddim_clipped(ref, model, x, t, t_prev, schedule, eta=0.0, noise=None):
    def clean(x, e, ab):
        return ((x - (1 - ab).sqrt() * e) / ab.sqrt()).clamp(-1, 1)

    return ddim(ref, model, x, t, t_prev, schedule, eta, noise, clean=clean)


@mistake(
    of="ddim_step",
    title="noise is added although eta is 0",
    hint="Is your step from one x_t a function, or does it give another result every time?",
)
def ddim_always_noisy(ref, model, x, t, t_prev, schedule, eta=0.0, noise=None):
    return ddim(ref, model, x, t, t_prev, schedule, eta or 1.0, noise)


@mistake(
    of="ddim_step",
    title="the factor of the network's noise does not make room for sigma",
    hint="What is the variance of your result for data of variance 1, with and without eta?",
)
def ddim_no_room_for_sigma(ref, model, x, t, t_prev, schedule, eta=0.0, noise=None):
    still = ddim(ref, model, x, t, t_prev, schedule, 0.0, noise)
    with_noise = ddim(ref, lambda x, t: 0 * x, 0 * x, t, t_prev, schedule, eta, noise)
    return still + with_noise


@mistake(
    of="ddim_timesteps",
    title="from the largest index to the smallest",
    hint="In which order does the statement want the list? Who turns it round?",
    kind="convention",
)
def timesteps_descending(ref, T, S):
    return [round(k * (T - 1) / (S - 1)) for k in reversed(range(S))]


@mistake(
    of="ddim_timesteps",
    title="every (T // S)-th index, so that the last is not T-1",
    hint="What is the last index of your list, and at which level does the chain start?",
)
def timesteps_without_the_last(ref, T, S):
    return list(range(0, T, T // S))[:S]


@mistake(
    of="ddim_timesteps",
    title="rounded down",
    hint="Which of the whole numbers is nearest to 8.57?",
)
def timesteps_rounded_down(ref, T, S):
    return [int(k * (T - 1) / (S - 1)) for k in range(S)]


# ---- 4.11 encoding


def climb(ref, model, x, schedule, n_steps, asked):
    """Up the levels; asked(below, t) is the index at which the network is asked."""
    below, before = -1, torch.ones_like(x[:1].sum())
    for t in ref.ddim_timesteps(len(schedule["betas"]), n_steps):
        ab = schedule["abar"][t].to(x.dtype)
        eps = model(x, torch.full((len(x),), asked(below, t)))
        x = (ab / before).sqrt() * (x - (1 - before).sqrt() * eps) + (1 - ab).sqrt() * eps
        below, before = t, ab
    return x


@mistake(
    of="ddim_invert",
    title="the network is asked at the level below",
    hint="At which of the two levels does the assignment ask the network, and which index could stand for clean data?",
    kind="convention",
)
def invert_asks_below(ref, model, x0, schedule, n_steps=20):
    return climb(ref, model, x0, schedule, n_steps, lambda below, t: max(below, 0))


@mistake(
    of="ddim_invert",
    title="the code is the noised data",
    hint="Encode the same image twice: is the code the same?",
)
def invert_by_noising(ref, model, x0, schedule, n_steps=20):
    return ref.q_sample(x0, torch.full((len(x0),), len(schedule["betas"]) - 1), schedule)


@mistake(
    of="slerp",
    title="a straight line",
    hint="How long are the points half-way, compared with the two ends?",
)
def slerp_straight(ref, a, b, weight):
    return (1 - weight) * a + weight * b


@mistake(
    of="slerp",
    title="one angle for the whole batch",
    hint="Does a pair of images change its path when another pair joins the batch?",
)
def slerp_one_angle(ref, a, b, weight):
    omega = torch.acos((a * b).sum() / (a.norm() * b.norm()))
    return (torch.sin((1 - weight) * omega) * a + torch.sin(weight * omega) * b) / torch.sin(omega)


@mistake(
    of="slerp",
    title="the weight belongs to the other end",
    hint="Where does your walk start, at weight 0?",
    kind="convention",
)
def slerp_from_b_to_a(ref, a, b, weight):
    omega = torch.acos(F.cosine_similarity(a.flatten(1), b.flatten(1), dim=1))
    omega = per_sample(omega, a)
    return (torch.sin(weight * omega) * a + torch.sin((1 - weight) * omega) * b) / torch.sin(omega)


@mistake(
    of="slerp",
    title="the angle is taken along one axis instead of over the whole sample",
    hint="How many angles lie between two images? Over which numbers does their inner product run?",
)
def slerp_angle_along_one_axis(ref, a, b, weight):
    omega = torch.acos(F.cosine_similarity(a, b, dim=1)).unsqueeze(1)
    return (torch.sin((1 - weight) * omega) * a + torch.sin(weight * omega) * b) / torch.sin(omega)
