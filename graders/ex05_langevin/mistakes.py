"""Known wrong answers of exercise 5, as overrides of the reference. Hints are questions, never the answer."""

import math

import torch

from gdgrade.mistakes import mistake

# ---- 5.1 log-density


def squares(x, means):
    """Squared distances of points (B, d) to centres (K, d), (B, K)."""
    return torch.cdist(x, means).square()


def log_densities(x, means, sigma):
    """Log-density of every component at every point, (B, K)."""
    return -squares(x, means) / (2 * sigma**2) - x.shape[1] * math.log(sigma * math.sqrt(2 * math.pi))


@mistake(
    of="gmm_log_prob",
    title="the normalising constant is left out",
    hint="What does your density add up to over the whole plane?",
)
def log_prob_without_constant(ref, x, means, sigma, weights):
    return torch.logsumexp(weights.log() - squares(x, means) / (2 * sigma**2), 1)


@mistake(
    of="gmm_log_prob",
    title="the normalising constant is that of one dimension",
    hint="By what factor does the constant of one Gaussian change when the line becomes a plane?",
)
def log_prob_constant_of_a_line(ref, x, means, sigma, weights):
    constant = 0.5 * math.log(2 * math.pi * sigma**2)
    return torch.logsumexp(weights.log() - squares(x, means) / (2 * sigma**2), 1) - constant


@mistake(
    of="gmm_log_prob",
    title="the weights are ignored",
    hint="Does your density change when one component gets nearly all the weight?",
)
def log_prob_weights_ignored(ref, x, means, sigma, weights):
    return torch.logsumexp(log_densities(x, means, sigma), 1) - math.log(len(means))


@mistake(
    of="gmm_log_prob",
    title="the weights are left out: the components are added up, not averaged",
    hint="If all components are the same Gaussian, what is the density of their mixture, and what is yours?",
)
def log_prob_weights_left_out(ref, x, means, sigma, weights):
    return torch.logsumexp(log_densities(x, means, sigma), 1)


@mistake(
    of="gmm_log_prob",
    title="logarithms of the components are averaged",
    hint="Is the logarithm of an average the average of the logarithms?",
)
def log_prob_average_of_logs(ref, x, means, sigma, weights):
    return log_densities(x, means, sigma) @ weights


@mistake(
    of="gmm_log_prob",
    title="sigma stands where its square belongs",
    hint="What are the units of the exponent when x is measured in metres?",
)
def log_prob_sigma_not_squared(ref, x, means, sigma, weights):
    logits = -squares(x, means) / (2 * sigma) - math.log(2 * math.pi * sigma**2)
    return torch.logsumexp(weights.log() + logits, 1)


@mistake(
    of="gmm_log_prob",
    title="the 1/2 in the exponent is missing",
    hint="What variance does your density have if you compare it with the textbook's, for one component?",
)
def log_prob_without_half(ref, x, means, sigma, weights):
    logits = -squares(x, means) / sigma**2 - math.log(2 * math.pi * sigma**2)
    return torch.logsumexp(weights.log() + logits, 1)


@mistake(
    of="gmm_log_prob",
    title="densities are exponentiated before they are added",
    hint="What is exp(-500000) on your computer, and what is its logarithm? Try x = (1000, 0).",
)
def log_prob_underflows(ref, x, means, sigma, weights):
    return (log_densities(x, means, sigma).exp() * weights).sum(1).log()


# ---- 5.1 score


def pulls(x, means):
    """Vectors from every point to every centre, (B, K, d)."""
    return means - x.unsqueeze(1)


@mistake(
    of="gmm_score",
    title="the components' scores are averaged with the mixture's weights",
    hint="Far from a component, should its arrow still matter?",
)
def score_average_of_arrows(ref, x, means, sigma, weights):
    return torch.einsum("k,bkd->bd", weights, pulls(x, means)) / sigma**2


@mistake(
    of="gmm_score",
    title="the plain mean of the components' scores",
    hint="Should an arrow from a component a hundred sigma away count as much as that of the nearest?",
)
def score_plain_mean(ref, x, means, sigma, weights):
    return pulls(x, means).mean(1) / sigma**2


@mistake(
    of="gmm_score",
    title="only the nearest component pulls",
    hint="What should the score be half-way between two equal components?",
)
def score_of_the_nearest(ref, x, means, sigma, weights):
    return (means[squares(x, means).argmin(1)] - x) / sigma**2


@mistake(
    of="gmm_score",
    title="the weights are missing from the responsibilities",
    hint="Half-way between a heavy and a light component, which way should the arrow point?",
)
def score_weights_ignored(ref, x, means, sigma, weights):
    shares = (-squares(x, means) / (2 * sigma**2)).softmax(1)
    return torch.einsum("bk,bkd->bd", shares, pulls(x, means)) / sigma**2


@mistake(
    of="gmm_score",
    title="the responsibilities are normalised over the points, not over the components",
    hint="What do the responsibilities of one point add up to? Does the score of a point depend on the other points?",
)
def score_softmax_over_points(ref, x, means, sigma, weights):
    shares = (weights.log() - squares(x, means) / (2 * sigma**2)).softmax(0)
    return torch.einsum("bk,bkd->bd", shares, pulls(x, means)) / sigma**2


@mistake(
    of="gmm_score",
    title="divided by sigma, not by its square",
    hint="For one Gaussian, what is the derivative of the exponent in x?",
)
def score_sigma_not_squared(ref, x, means, sigma, weights):
    return sigma * _right_score(x, means, sigma, weights)


@mistake(
    of="gmm_score",
    title="the division by sigma squared is missing",
    hint="Should a narrow component pull as gently as a wide one at the same distance?",
)
def score_without_sigma(ref, x, means, sigma, weights):
    return sigma**2 * _right_score(x, means, sigma, weights)


@mistake(
    of="gmm_score",
    title="the gradient of the energy -log p",
    hint="Put a point to the right of a single centre: towards which side does your arrow point?",
)
def score_minus_sign(ref, x, means, sigma, weights):
    return -_right_score(x, means, sigma, weights)


@mistake(
    of="gmm_score",
    title="densities are exponentiated before they are divided",
    hint="What is 0/0 on your computer, and does it happen at x = (1000, 0)?",
)
def score_underflows(ref, x, means, sigma, weights):
    shares = weights * (-squares(x, means) / (2 * sigma**2)).exp()
    return torch.einsum("bk,bkd->bd", shares / shares.sum(1, keepdim=True), pulls(x, means)) / sigma**2


@mistake(
    of="gmm_score",
    title="the gradient of the density, not of its logarithm",
    hint="Does your arrow get shorter or longer where the density fades away? Which should it?",
)
def score_gradient_of_density(ref, x, means, sigma, weights):
    return _right_score(x, means, sigma, weights) * ref.gmm_log_prob(x, means, sigma, weights).exp()[:, None]


def _right_score(x, means, sigma, weights):
    shares = (weights.log() - squares(x, means) / (2 * sigma**2)).softmax(1)
    return torch.einsum("bk,bkd->bd", shares, pulls(x, means)) / sigma**2


# ---- 5.2 step (the samplers of 5.3, 5.4 and 5.7 inherit these)


def drawn(x, noise):
    """The given noise, or fresh noise."""
    return torch.randn_like(x) if noise is None else noise


@mistake(
    of="langevin_step",
    title="x + eta s + sqrt(2 eta) n, the same step with twice the eta",
    hint="With a score of zero, what is the variance of one of your steps, and what does the statement say of eta?",
    kind="convention",
    # In a box with the same arrow everywhere it cannot be told from mala_of_twice_eta.
    checks=("step/", "sample/", "annealed/", "mala/given_noise_and_u", "mala/leaves_the_target_alone"),
)
def step_of_twice_eta(ref, x, score_fn, eta, noise=None):
    return x + eta * score_fn(x) + (2 * eta) ** 0.5 * drawn(x, noise)


@mistake(
    of="langevin_step",
    title="drift of one convention, noise of the other: eta/2 s + sqrt(2 eta) n",
    hint="With a score of zero, what is the variance of one of your steps? Do drift and noise agree on eta?",
)
def step_noise_of_twice_eta(ref, x, score_fn, eta, noise=None):
    return x + eta / 2 * score_fn(x) + (2 * eta) ** 0.5 * drawn(x, noise)


@mistake(
    of="langevin_step",
    title="drift of one convention, noise of the other: eta s + sqrt(eta) n",
    hint="For the target N(0, 1) and a small step, what variance do your chains settle at?",
)
def step_drift_of_twice_eta(ref, x, score_fn, eta, noise=None):
    return x + eta * score_fn(x) + eta**0.5 * drawn(x, noise)


@mistake(
    of="langevin_step",
    title="the noise is scaled by eta",
    hint="How should the spread of the noise change when you halve the step?",
)
def step_noise_times_eta(ref, x, score_fn, eta, noise=None):
    return x + eta / 2 * score_fn(x) + eta * drawn(x, noise)


@mistake(
    of="langevin_step",
    title="drift and noise share the factor eta/2",
    hint="Which of the two terms should shrink faster as the step gets small?",
)
def step_half_eta_for_all(ref, x, score_fn, eta, noise=None):
    return x + eta / 2 * (score_fn(x) + drawn(x, noise))


@mistake(
    of="langevin_step",
    title="the drift has the wrong sign",
    hint="Does your particle move towards higher or lower density when the noise is zero?",
)
def step_minus_sign(ref, x, score_fn, eta, noise=None):
    return x - eta / 2 * score_fn(x) + eta**0.5 * drawn(x, noise)


@mistake(
    of="langevin_step",
    title="no noise: gradient ascent",
    hint="Where would a thousand particles end up if your step were repeated for ever?",
)
def step_without_noise(ref, x, score_fn, eta, noise=None):
    return x + eta / 2 * score_fn(x)


@mistake(
    of="langevin_step",
    title="the score is evaluated after the noise was added",
    hint="At which point does the formula ask for the score?",
)
def step_score_after_noise(ref, x, score_fn, eta, noise=None):
    y = x + eta**0.5 * drawn(x, noise)
    return y + eta / 2 * score_fn(y)


@mistake(
    of="langevin_step",
    title="all particles share one noise vector",
    hint="Start two particles at the same place: can they ever part?",
    checks=("step/",),  # further on, sample_noise_shared says the same
)
def step_noise_shared(ref, x, score_fn, eta, noise=None):
    n = torch.randn(1, x.shape[1], dtype=x.dtype) if noise is None else noise
    return x + eta / 2 * score_fn(x) + eta**0.5 * n


@mistake(
    of="langevin_step",
    title="the own noise is uniform on (0, 1)",
    hint="What are the mean and the variance of the noise that you draw?",
    seen_by="chance",
    checks=("step/",),
)
def step_noise_uniform(ref, x, score_fn, eta, noise=None):
    return x + eta / 2 * score_fn(x) + eta**0.5 * (torch.rand_like(x) if noise is None else noise)


# ---- 5.3 sampler


def walk(ref, score_fn, x0, eta, noises):
    """All states of a run with these noises, as a list."""
    states = [x0]
    for n in noises:
        states.append(ref.langevin_step(states[-1], score_fn, eta, n))
    return states


def all_noises(x0, n_steps, noises):
    """The given noises, or fresh ones, (n_steps, B, d)."""
    return torch.randn(n_steps, *x0.shape, dtype=x0.dtype) if noises is None else noises


def answer(states, return_traj):
    """What langevin_sample returns, from the list of states."""
    return (states[-1], torch.stack(states)) if return_traj else states[-1]


@mistake(
    of="langevin_sample",
    title="the same noise in every step",
    hint="How should the spread of free particles grow with the number of steps, and how does yours?",
)
def sample_noise_reused(ref, score_fn, x0, eta, n_steps, noises=None, return_traj=False):
    first = drawn(x0, None) if noises is None else noises[0]
    return answer(walk(ref, score_fn, x0, eta, [first] * n_steps), return_traj)


@mistake(
    of="langevin_sample",
    title="all particles share their noise",
    hint="What is the correlation between two of your particles?",
)
def sample_noise_shared(ref, score_fn, x0, eta, n_steps, noises=None, return_traj=False):
    if noises is None:
        noises = torch.randn(n_steps, 1, x0.shape[1], dtype=x0.dtype).expand(n_steps, *x0.shape)
    return answer(walk(ref, score_fn, x0, eta, noises), return_traj)


@mistake(
    of="langevin_sample",
    title="one step too few",
    hint="How many states, the start included, does a run of three steps have?",
)
def sample_one_step_less(ref, score_fn, x0, eta, n_steps, noises=None, return_traj=False):
    return answer(walk(ref, score_fn, x0, eta, all_noises(x0, n_steps, noises)[1:]), return_traj)


@mistake(
    of="langevin_sample",
    title="the last step is missing",
    hint="How many states, the start included, does a run of three steps have?",
    checks=("sample/given_noises", "sample/trajectory"),  # where noise is drawn, sample_one_step_less says the same
)
def sample_last_step_missing(ref, score_fn, x0, eta, n_steps, noises=None, return_traj=False):
    return answer(walk(ref, score_fn, x0, eta, all_noises(x0, n_steps, noises)[:-1]), return_traj)


@mistake(
    of="langevin_sample",
    title="the noises are used from the last to the first",
    hint="Which of the given noises does your first step use?",
    checks=("sample/given_noises", "sample/trajectory"),
)
def sample_noises_reversed(ref, score_fn, x0, eta, n_steps, noises=None, return_traj=False):
    return answer(walk(ref, score_fn, x0, eta, all_noises(x0, n_steps, noises).flip(0)), return_traj)


@mistake(
    of="langevin_sample",
    title="a seed is set inside: every call draws the same noise",
    hint="Call your function twice: should the particles take the same paths?",
    seen_by="chance",
    checks=("sample/fresh_noise",),
)
def sample_seeded(ref, score_fn, x0, eta, n_steps, noises=None, return_traj=False):
    always = torch.Generator().manual_seed(0)
    noises = torch.randn(n_steps, *x0.shape, dtype=x0.dtype, generator=always)
    return answer(walk(ref, score_fn, x0, eta, noises), return_traj)


@mistake(
    of="langevin_sample",
    title="the score is computed once, at the start",
    hint="A particle has moved: which arrow should it follow now?",
)
def sample_score_frozen(ref, score_fn, x0, eta, n_steps, noises=None, return_traj=False):
    arrow = score_fn(x0)
    return answer(walk(ref, lambda x: arrow, x0, eta, all_noises(x0, n_steps, noises)), return_traj)


@mistake(
    of="langevin_sample",
    title="the noises are ignored",
    hint="Call your function twice with the same noises: are the results equal?",
    checks=("sample/given_noises", "sample/trajectory"),
)
def sample_noises_ignored(ref, score_fn, x0, eta, n_steps, noises=None, return_traj=False):
    # Drawn step by step, as most would: with the same seed these are then the student's very numbers.
    return answer(walk(ref, score_fn, x0, eta, [None] * n_steps), return_traj)


@mistake(
    of="langevin_sample",
    title="the trajectory lacks the start",
    hint="What is the first frame of your trajectory, and what should it be?",
)
def trajectory_without_start(ref, score_fn, x0, eta, n_steps, noises=None, return_traj=False):
    states = walk(ref, score_fn, x0, eta, all_noises(x0, n_steps, noises))
    return (states[-1], torch.stack(states[1:])) if return_traj else states[-1]


@mistake(
    of="langevin_sample",
    title="the trajectory comes first: (traj, x)",
    hint="In which order does the statement ask for the two results?",
    checks=("sample/trajectory",),
)
def trajectory_first(ref, score_fn, x0, eta, n_steps, noises=None, return_traj=False):
    states = walk(ref, score_fn, x0, eta, all_noises(x0, n_steps, noises))
    return (torch.stack(states), states[-1]) if return_traj else states[-1]


@mistake(
    of="langevin_sample",
    title="all frames of the trajectory are the last state",
    hint="Do the entries of your list share their memory? What happens to the old ones when x changes?",
)
def trajectory_of_last_states(ref, score_fn, x0, eta, n_steps, noises=None, return_traj=False):
    states = walk(ref, score_fn, x0, eta, all_noises(x0, n_steps, noises))
    return (states[-1], torch.stack([states[-1]] * len(states))) if return_traj else states[-1]


# ---- 5.4 annealing


def anneal(ref, score_fn, x0, sigmas, etas, n_per_level, noises, restart=False):
    """Langevin steps through the levels with these step sizes; the noises are used in the order of the walk."""
    x = x0
    for i, (sigma, eta) in enumerate(zip(sigmas, etas, strict=True)):
        x = x0 if restart else x
        for j in range(n_per_level):
            x = ref.langevin_step(
                x, lambda y, sigma=sigma: score_fn(y, sigma), eta, None if noises is None else noises[i, j]
            )
    return x


@mistake(
    of="annealed_langevin",
    title="from the smallest noise level to the largest",
    hint="Which noise level lets a particle cross between modes, and which one sharpens the picture? Which first?",
)
def annealed_ascending(ref, score_fn, x0, sigmas, eta0, n_per_level, noises=None):
    etas = eta0 * (sigmas / sigmas[-1]) ** 2
    return anneal(ref, score_fn, x0, sigmas.flip(0), etas.flip(0), n_per_level, noises)


@mistake(
    of="annealed_langevin",
    title="one step size for all levels",
    hint="At ten times the noise the density is ten times as wide. Should the particles still take the same steps?",
)
def annealed_eta_constant(ref, score_fn, x0, sigmas, eta0, n_per_level, noises=None):
    return anneal(ref, score_fn, x0, sigmas, eta0 + 0 * sigmas, n_per_level, noises)


@mistake(
    of="annealed_langevin",
    title="the step grows with sigma, not with its square",
    hint="eta is the variance of a step. How does a variance change when all lengths are doubled?",
)
def annealed_eta_linear(ref, score_fn, x0, sigmas, eta0, n_per_level, noises=None):
    return anneal(ref, score_fn, x0, sigmas, eta0 * sigmas / sigmas[-1], n_per_level, noises)


@mistake(
    of="annealed_langevin",
    title="the step is eta0 at the first level",
    hint="At which level is your step size equal to eta0, and at which one should it be?",
)
def annealed_eta_from_first(ref, score_fn, x0, sigmas, eta0, n_per_level, noises=None):
    return anneal(ref, score_fn, x0, sigmas, eta0 * (sigmas / sigmas[0]) ** 2, n_per_level, noises)


@mistake(
    of="annealed_langevin",
    title="the step is eta0 sigma^2, not divided by the last sigma^2",
    hint="What is your step size at the last level?",
)
def annealed_eta_not_divided(ref, score_fn, x0, sigmas, eta0, n_per_level, noises=None):
    return anneal(ref, score_fn, x0, sigmas, eta0 * sigmas**2, n_per_level, noises)


@mistake(
    of="annealed_langevin",
    title="the step shrinks as sigma grows",
    hint="At which level does your sampler take its longest steps? Where is there most room?",
)
def annealed_eta_upside_down(ref, score_fn, x0, sigmas, eta0, n_per_level, noises=None):
    return anneal(ref, score_fn, x0, sigmas, eta0 * (sigmas[-1] / sigmas) ** 2, n_per_level, noises)


@mistake(
    of="annealed_langevin",
    title="every level starts again from x0",
    hint="What is left at the end of the work that the first levels did?",
)
def annealed_restarts(ref, score_fn, x0, sigmas, eta0, n_per_level, noises=None):
    etas = eta0 * (sigmas / sigmas[-1]) ** 2
    return anneal(ref, score_fn, x0, sigmas, etas, n_per_level, noises, restart=True)


@mistake(
    of="annealed_langevin",
    title="the score is always asked at the last noise level",
    hint="Which density is blurred by how much at the first level, and which score do you follow there?",
)
def annealed_score_of_last_level(ref, score_fn, x0, sigmas, eta0, n_per_level, noises=None):
    etas = eta0 * (sigmas / sigmas[-1]) ** 2
    return anneal(ref, score_fn, x0, sigmas[-1].expand(len(sigmas)), etas, n_per_level, noises)


@mistake(
    of="annealed_langevin",
    title="score_fn gets sigma squared",
    hint="Does score_fn(x, sigma) expect a standard deviation or a variance?",
)
def annealed_score_gets_variance(ref, score_fn, x0, sigmas, eta0, n_per_level, noises=None):
    etas = eta0 * (sigmas / sigmas[-1]) ** 2
    return anneal(ref, score_fn, x0, sigmas**2, etas, n_per_level, noises)


# ---- 5.5 denoising score matching


def errors(score_model, x, sigma, noise, target):
    """Squared distance between the model at the noised data and target(n), one number per point."""
    n = drawn(x, noise)
    return ((score_model(x + sigma * n) - target(n)) ** 2).sum(-1)


@mistake(
    of="dsm_loss",
    title="the target has the wrong sign",
    hint="Seen from the noised point, in which direction does the clean one lie?",
)
def dsm_target_sign(ref, score_model, x, sigma, noise=None):
    return sigma**2 * errors(score_model, x, sigma, noise, lambda n: n / sigma).mean() / 2


@mistake(
    of="dsm_loss",
    title="the target is n / sigma^2",
    hint="Write the noised point as clean + d. How long is d, and by what does the score of the noise divide it?",
)
def dsm_target_over_variance(ref, score_model, x, sigma, noise=None):
    return sigma**2 * errors(score_model, x, sigma, noise, lambda n: -n / sigma**2).mean() / 2


@mistake(
    of="dsm_loss",
    title="the target is n, not divided by sigma",
    hint="For half the noise level, is the blurred density steeper or flatter around a clean point?",
)
def dsm_target_unscaled(ref, score_model, x, sigma, noise=None):
    return sigma**2 * errors(score_model, x, sigma, noise, lambda n: -n).mean() / 2


@mistake(
    of="dsm_loss",
    title="no weight sigma^2",
    hint="How does the size of your loss change from one noise level to another, for an untrained model?",
)
def dsm_unweighted(ref, score_model, x, sigma, noise=None):
    return errors(score_model, x, sigma, noise, lambda n: -n / sigma).mean() / 2


@mistake(
    of="dsm_loss",
    title="weighted by sigma, not by its square",
    hint="For the model that always answers zero, does your loss depend on sigma? Should it?",
)
def dsm_weight_not_squared(ref, score_model, x, sigma, noise=None):
    return sigma * errors(score_model, x, sigma, noise, lambda n: -n / sigma).mean() / 2


@mistake(
    of="dsm_loss",
    title="without the factor 1/2",
    hint="Which constant does the statement put in front of the squares, and which do you?",
    kind="convention",
)
def dsm_without_half(ref, score_model, x, sigma, noise=None):
    return sigma**2 * errors(score_model, x, sigma, noise, lambda n: -n / sigma).mean()


@mistake(
    of="dsm_loss",
    title="the mean over the coordinates instead of their sum",
    hint="Over what does the statement sum, and over what does it average?",
    kind="convention",
)
def dsm_mean_over_coordinates(ref, score_model, x, sigma, noise=None):
    per_point = errors(score_model, x, sigma, noise, lambda n: -n / sigma) / x.shape[-1]
    return sigma**2 * per_point.mean() / 2


@mistake(
    of="dsm_loss",
    title="the mean over the coordinates, and no 1/2",
    hint="Which constants does a ready-made mean squared error choose, and which does the statement ask for?",
    kind="convention",
)
def dsm_plain_mse(ref, score_model, x, sigma, noise=None):
    per_point = errors(score_model, x, sigma, noise, lambda n: -n / sigma) / x.shape[-1]
    return sigma**2 * per_point.mean()


@mistake(
    of="dsm_loss",
    title="the sum over the batch instead of its mean",
    hint="What happens to your loss when every point of the batch is there twice?",
    kind="convention",
)
def dsm_sum_over_batch(ref, score_model, x, sigma, noise=None):
    return sigma**2 * errors(score_model, x, sigma, noise, lambda n: -n / sigma).sum() / 2


@mistake(
    of="dsm_loss",
    title="the model is asked at the clean data",
    hint="Of which density is the model to learn the score: the data's or the noised data's?",
)
def dsm_at_clean_data(ref, score_model, x, sigma, noise=None):
    return sigma**2 / 2 * (score_model(x) + drawn(x, noise) / sigma).pow(2).sum(-1).mean()


@mistake(
    of="dsm_loss",
    title="noise of unit size is added, whatever sigma",
    hint="What is the standard deviation of noised minus clean data in your code?",
)
def dsm_noise_unscaled(ref, score_model, x, sigma, noise=None):
    n = drawn(x, noise)
    return sigma**2 / 2 * (score_model(x + n) + n / sigma).pow(2).sum(-1).mean()


@mistake(
    of="dsm_loss",
    title="noise of variance sigma is added",
    hint="Is sigma a standard deviation or a variance?",
)
def dsm_noise_of_variance_sigma(ref, score_model, x, sigma, noise=None):
    n = drawn(x, noise)
    return sigma**2 / 2 * (score_model(x + sigma**0.5 * n) + n / sigma).pow(2).sum(-1).mean()


@mistake(
    of="dsm_loss",
    title="the model's answer is detached",
    hint="From where does the gradient of the loss reach the network?",
    checks=("dsm/trains_a_network",),
)
def dsm_detached(ref, score_model, x, sigma, noise=None):
    return sigma**2 * errors(score_model, x, sigma, noise, lambda n: -n / sigma).mean().detach() / 2


# ---- 5.6 implicit score matching


def halves_and_traces(score_fn, x, keep_graph=True):
    """Half the squared score and the trace of its Jacobian at every point, two (B,) tensors."""
    leaf = x.clone().requires_grad_(True)
    s = score_fn(leaf)
    columns = [torch.autograd.grad(s[:, i].sum(), leaf, create_graph=True)[0][:, i] for i in range(x.shape[1])]
    trace = sum(columns)
    return (s * s).sum(1) / 2, trace if keep_graph else trace.detach()


@mistake(
    of="implicit_score_matching_loss",
    title="without the factor 1/2",
    hint="For the linear score -a x on normal data, which a minimises your loss, and which should?",
)
def ism_without_half(ref, score_fn, x):
    half, trace = halves_and_traces(score_fn, x)
    return (2 * half + trace).mean()


@mistake(
    of="implicit_score_matching_loss",
    title="the factor 1/2 stands before the trace as well",
    hint="To which of the two terms does the factor 1/2 belong?",
)
def ism_half_for_both(ref, score_fn, x):
    half, trace = halves_and_traces(score_fn, x)
    return (half + trace / 2).mean()


@mistake(
    of="implicit_score_matching_loss",
    title="the trace is missing",
    hint="Which score minimises your loss if nothing rewards it for pointing inwards?",
)
def ism_without_trace(ref, score_fn, x):
    return halves_and_traces(score_fn, x)[0].mean()


@mistake(
    of="implicit_score_matching_loss",
    title="the trace is subtracted",
    hint="At the peak of a density, is the divergence of the score positive or negative? Should that be rewarded?",
)
def ism_minus_trace(ref, score_fn, x):
    half, trace = halves_and_traces(score_fn, x)
    return (half - trace).mean()


@mistake(
    of="implicit_score_matching_loss",
    title="all entries of the Jacobian are added, not those of its diagonal",
    hint="Which derivatives does a backward pass from the sum of all outputs collect? Which make up a trace?",
)
def ism_sum_of_jacobian(ref, score_fn, x):
    leaf = x.clone().requires_grad_(True)
    s = score_fn(leaf)
    (everything,) = torch.autograd.grad(s.sum(), leaf, create_graph=True)
    return ((s * s).sum(1) / 2 + everything.sum(1)).mean()


@mistake(
    of="implicit_score_matching_loss",
    title="the sum over the batch instead of its mean",
    hint="What happens to your loss when every point of the batch is there twice?",
    kind="convention",
)
def ism_sum_over_batch(ref, score_fn, x):
    half, trace = halves_and_traces(score_fn, x)
    return (half + trace).sum()


@mistake(
    of="implicit_score_matching_loss",
    title="the mean over the coordinates instead of their sum",
    hint="Over what does the statement sum, and over what does it average?",
    kind="convention",
)
def ism_mean_over_coordinates(ref, score_fn, x):
    half, trace = halves_and_traces(score_fn, x)
    return (half + trace).mean() / x.shape[1]


@mistake(
    of="implicit_score_matching_loss",
    title="the trace is added up over the batch, the square averaged",
    hint="What does each of your two terms do when every point of the batch is there twice?",
)
def ism_trace_of_batch(ref, score_fn, x):
    half, trace = halves_and_traces(score_fn, x)
    return half.mean() + trace.sum()


@mistake(
    of="implicit_score_matching_loss",
    title="the trace carries no graph",
    hint="Through which of the two terms does the network feel the gradient?",
    checks=("ism/trains_a_network",),
)
def ism_trace_detached(ref, score_fn, x):
    half, trace = halves_and_traces(score_fn, x, keep_graph=False)
    return (half + trace).mean()


@mistake(
    of="implicit_score_matching_loss",
    title="the loss carries no graph",
    hint="From where does the gradient of the loss reach the network?",
    checks=("ism/trains_a_network",),
)
def ism_detached(ref, score_fn, x):
    half, trace = halves_and_traces(score_fn, x)
    return (half + trace).mean().detach()


# ---- 5.7 MALA


def log_q(to, origin, score_fn, eta, variance):
    """Log-density, up to a constant, of proposing `to` from `origin`, (B,)."""
    return -((to - origin - eta / 2 * score_fn(origin)) ** 2).sum(-1) / (2 * variance)


def metropolis(x, y, log_ratio, u):
    """y where log u < log_ratio, else x."""
    u = torch.rand(len(x), dtype=x.dtype) if u is None else u
    return torch.where((u.log() < log_ratio).unsqueeze(-1), y, x)


@mistake(
    of="mala_step",
    title="every proposal is accepted",
    hint="What distinguishes your step from the one without Metropolis test?",
)
def mala_always_accepts(ref, x, log_prob_fn, score_fn, eta, noise=None, u=None):
    return ref.langevin_step(x, score_fn, eta, noise)


@mistake(
    of="mala_step",
    title="the proposal's densities are missing from the ratio",
    hint="Is going from x to y as likely to be proposed as going back?",
)
def mala_without_proposal(ref, x, log_prob_fn, score_fn, eta, noise=None, u=None):
    y = ref.langevin_step(x, score_fn, eta, noise)
    return metropolis(x, y, log_prob_fn(y) - log_prob_fn(x), u)


@mistake(
    of="mala_step",
    title="the proposal's densities stand the wrong way round",
    hint="Which of the two moves, there or back, stands above the line of the fraction?",
)
def mala_proposal_swapped(ref, x, log_prob_fn, score_fn, eta, noise=None, u=None):
    y = ref.langevin_step(x, score_fn, eta, noise)
    q = log_q(y, x, score_fn, eta, eta) - log_q(x, y, score_fn, eta, eta)
    return metropolis(x, y, log_prob_fn(y) - log_prob_fn(x) + q, u)


@mistake(
    of="mala_step",
    title="the whole ratio is upside down",
    hint="Is a proposal of higher density accepted more or less often in your code?",
)
def mala_ratio_upside_down(ref, x, log_prob_fn, score_fn, eta, noise=None, u=None):
    y = ref.langevin_step(x, score_fn, eta, noise)
    q = log_q(y, x, score_fn, eta, eta) - log_q(x, y, score_fn, eta, eta)
    return metropolis(x, y, log_prob_fn(x) - log_prob_fn(y) + q, u)


@mistake(
    of="mala_step",
    title="moves where it should stay, and stays where it should move",
    hint="What becomes of a proposal whose ratio a is larger than 1?",
)
def mala_choice_inverted(ref, x, log_prob_fn, score_fn, eta, noise=None, u=None):
    y = ref.langevin_step(x, score_fn, eta, noise)
    q = log_q(x, y, score_fn, eta, eta) - log_q(y, x, score_fn, eta, eta)
    return metropolis(y, x, log_prob_fn(y) - log_prob_fn(x) + q, u)


@mistake(
    of="mala_step",
    title="the proposal's density has variance 2 eta, its noise eta",
    hint="What is the variance of your noise, and which variance does your q assume?",
)
def mala_proposal_variance(ref, x, log_prob_fn, score_fn, eta, noise=None, u=None):
    y = ref.langevin_step(x, score_fn, eta, noise)
    q = log_q(x, y, score_fn, eta, 2 * eta) - log_q(y, x, score_fn, eta, 2 * eta)
    return metropolis(x, y, log_prob_fn(y) - log_prob_fn(x) + q, u)


@mistake(
    of="mala_step",
    title="MALA with twice the eta: proposals x + eta s + sqrt(2 eta) n",
    hint="With a score of zero, what is the variance of your proposals, and what does the statement say of eta?",
    kind="convention",
)
def mala_of_twice_eta(ref, x, log_prob_fn, score_fn, eta, noise=None, u=None):
    twice = 2 * eta
    y = x + eta * score_fn(x) + twice**0.5 * drawn(x, noise)
    q = log_q(x, y, score_fn, twice, twice) - log_q(y, x, score_fn, twice, twice)
    return metropolis(x, y, log_prob_fn(y) - log_prob_fn(x) + q, u)


@mistake(
    of="mala_step",
    title="one decision for all particles",
    hint="If one particle's proposal is bad, should the others stay at home as well?",
)
def mala_one_decision(ref, x, log_prob_fn, score_fn, eta, noise=None, u=None):
    y = ref.langevin_step(x, score_fn, eta, noise)
    q = log_q(x, y, score_fn, eta, eta) - log_q(y, x, score_fn, eta, eta)
    ratio = (log_prob_fn(y) - log_prob_fn(x) + q).mean()
    first = torch.rand(1, dtype=x.dtype)[0] if u is None else u[0]
    return y if first.log() < ratio else x


@mistake(
    of="mala_step",
    title="u is compared with the logarithm of the ratio",
    hint="Your ratio is a logarithm. Is u one as well?",
)
def mala_u_without_log(ref, x, log_prob_fn, score_fn, eta, noise=None, u=None):
    y = ref.langevin_step(x, score_fn, eta, noise)
    q = log_q(x, y, score_fn, eta, eta) - log_q(y, x, score_fn, eta, eta)
    u = torch.rand(len(x), dtype=x.dtype) if u is None else u
    return torch.where((u < log_prob_fn(y) - log_prob_fn(x) + q).unsqueeze(-1), y, x)
