"""Known wrong answers of exercise 7, as overrides of the reference. Hints are questions, never the answer.

Each function is checked by itself: what builds on a wrong one is skipped, or judged by the student's own version of it.
So the mistakes of a function are looked for in its own checks only.
"""

import math

import torch

from gdgrade.mistakes import mistake

# ---- 7.1 velocity


def squares(x, y):
    """Squared distances (n, m)."""
    return ((x.unsqueeze(1) - y.unsqueeze(0)) ** 2).sum(2)


def potential_of_columns(C, eps, steps=1000, tol=1e-9):
    """The column potential g of the entropic plan for the cost C and equal weights, (m,)."""
    n, m = C.shape
    f, g = C.new_zeros(n, 1), C.new_zeros(1, m)
    for k in range(steps):
        before = f
        f = eps * math.log(m) - eps * torch.logsumexp((g - C) / eps, 1, keepdim=True)
        if k and float(((before - f) / eps).expm1().abs().mean()) < tol:
            break
        g = eps * math.log(n) - eps * torch.logsumexp((f - C) / eps, 0, keepdim=True)
    return g[0]


def image(x, y, eps, C=None, **more):
    """Barycentric images (n, d) for the cost C, the squared distance if left out."""
    C = squares(x, y) if C is None else C
    return torch.softmax((potential_of_columns(C, eps, **more) - C) / eps, 1) @ y


def difference(images, x, y, debias):
    """The velocity that belongs to a way of computing images: a function of two clouds."""
    return images(x, y) - (images(x, x) if debias else x)


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="not debiased: x itself is subtracted",
    hint="Apply your map from a cloud to itself: is it the identity?",
)
def velocity_biased(ref, x, y, eps, debias=True):
    return image(x, y, eps) - x


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="debias=False is ignored",
    hint="Does your result change with the last argument?",
)
def velocity_always_debiased(ref, x, y, eps, debias=True):
    return image(x, y, eps) - image(x, x, eps)


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="the image is returned, not the way to it",
    hint="Your cloud and its target coincide: how fast should anything move?",
)
def velocity_of_positions(ref, x, y, eps, debias=True):
    return image(x, y, eps)


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="the sign is wrong: away from the target",
    hint="One particle at 0, one target at 1: which way does your arrow point?",
)
def velocity_minus_sign(ref, x, y, eps, debias=True):
    return -difference(lambda a, b: image(a, b, eps), x, y, debias)


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="the rows of the plan are not normalised",
    hint="What do the numbers in one row of your plan add up to, and what should the weights of an average?",
)
def velocity_rows_not_normalised(ref, x, y, eps, debias=True):
    return difference(lambda a, b: image(a, b, eps) / len(a), x, y, debias)


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="multiplied by the number of targets instead of divided by the row sums",
    hint="With twice as many targets as particles, what is the sum of one row of the plan?",
)
def velocity_times_m(ref, x, y, eps, debias=True):
    return difference(lambda a, b: image(a, b, eps) * len(b) / len(a), x, y, debias)


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="half the squared distance as cost",
    hint="By what factor would eps have to change for your plan to be the one of the statement?",
    kind="convention",
)
def velocity_half_cost(ref, x, y, eps, debias=True):
    return difference(lambda a, b: image(a, b, eps, squares(a, b) / 2), x, y, debias)


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="eps taken for the length blur: the plan is that of eps squared",
    hint="In which unit is your eps measured, and in which the one of the statement?",
    kind="convention",
)
def velocity_eps_squared(ref, x, y, eps, debias=True):
    return difference(lambda a, b: image(a, b, eps**2), x, y, debias)


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="twice the velocity, the gradient of the Sinkhorn divergence up to n",
    hint="A target one length to the right of everything: how long is your arrow?",
    kind="convention",
)
def velocity_twice(ref, x, y, eps, debias=True):
    return 2 * difference(lambda a, b: image(a, b, eps), x, y, debias)


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="the cost is the distance, not its square",
    hint="Which power of the distance does the statement transport with?",
)
def velocity_distance_cost(ref, x, y, eps, debias=True):
    return difference(lambda a, b: image(a, b, eps, squares(a, b).sqrt()), x, y, debias)


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="the cost is multiplied by eps",
    hint="For large eps, should the plan be concentrated or spread?",
)
def velocity_eps_multiplied(ref, x, y, eps, debias=True):
    return difference(lambda a, b: image(a, b, 1 / eps), x, y, debias)


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="the cost is divided by its largest entry",
    hint="Does eps still mean the same when a single target is moved far away?",
)
def velocity_cost_scaled(ref, x, y, eps, debias=True):
    return difference(lambda a, b: image(a, b, eps, squares(a, b) / squares(a, b).max().clamp(min=1e-12)), x, y, debias)


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="a softmax over the targets, not a transport plan",
    hint="How much mass does each target receive from all particles together?",
)
def velocity_softmax(ref, x, y, eps, debias=True):
    return difference(lambda a, b: torch.softmax(-squares(a, b) / eps, 1) @ b, x, y, debias)


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="ten Sinkhorn iterations",
    hint="How far are the row sums of your plan from 1/n when you stop?",
)
def velocity_ten_iterations(ref, x, y, eps, debias=True):
    return difference(lambda a, b: image(a, b, eps, steps=10, tol=0.0), x, y, debias)


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="the kernel underflows",
    hint="What is the largest entry of exp(-C / eps) when the clouds are forty lengths apart?",
)
def velocity_underflows(ref, x, y, eps, debias=True):
    def images(a, b):
        K = torch.exp(-squares(a, b) / eps)
        v = torch.ones_like(b[:, 0])
        for _ in range(1000):
            u = 1 / len(a) / (K @ v)
            v = 1 / len(b) / (K.T @ u)
        P = u[:, None] * K * v
        return P @ b / P.sum(1, keepdim=True)

    return difference(images, x, y, debias)


@mistake(
    of="ot_velocity",
    checks=("velocity/",),
    title="every particle goes to the target that gets most of it",
    hint="Can two of your particles have the same image, and is your map still smooth in x?",
)
def velocity_argmax(ref, x, y, eps, debias=True):
    def images(a, b):
        C = squares(a, b)
        return b[(potential_of_columns(C, eps) - C).argmax(1)]

    return difference(images, x, y, debias)


# ---- 7.2 step


def drawn(x, noise):
    """The given noise, or fresh noise."""
    return torch.randn_like(x) if noise is None else noise


def stepped(ref, x, y, score_fn, eps, score, transport, spread, noise, debias=True):
    """A step with these factors in front of its three moves."""
    v = ref.ot_velocity(x, y, eps, debias=debias) if transport else 0.0
    return x + score * score_fn(x) + transport * v + spread * drawn(x, noise)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="the transport is not multiplied by eta",
    hint="Which way do the particles make in unit time, in ten steps of 0.1 and in a hundred of 0.01?",
)
def step_without_eta_at_lam(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    return stepped(ref, x, y, score_fn, eps, eta / 2, lam, eta**0.5 * tau, noise)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="score and transport share the factor eta/2",
    hint="A shifted target, no score, no noise, eta lam = 1: where does your step end?",
)
def step_half_transport(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    return stepped(ref, x, y, score_fn, eps, eta / 2, eta / 2 * lam, eta**0.5 * tau, noise)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="x + eta s + sqrt(2 eta) tau n, the other step size",
    hint="With no score and no transport, what is the variance of your step, and what does the statement say of eta?",
    kind="convention",
)
def step_of_twice_eta(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    return stepped(ref, x, y, score_fn, eps, eta, eta * lam, (2 * eta) ** 0.5 * tau, noise)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="score of one convention, noise of the other: eta s with sqrt(eta) n",
    hint="For the target N(0, 1) and lam = 0, what variance do your particles settle at when eta is small?",
)
def step_score_times_eta(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    return stepped(ref, x, y, score_fn, eps, eta, eta * lam, eta**0.5 * tau, noise)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="the noise is scaled by eta",
    hint="How should the spread of the noise change when you halve the step?",
)
def step_noise_times_eta(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    return stepped(ref, x, y, score_fn, eps, eta / 2, eta * lam, eta * tau, noise)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="tau is taken for a variance",
    hint="By what factor does the spread of your steps grow when tau is doubled?",
)
def step_tau_under_root(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    return stepped(ref, x, y, score_fn, eps, eta / 2, eta * lam, (eta * tau) ** 0.5, noise)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="tau is ignored",
    hint="Run your step twice at temperature zero: does it give the same?",
)
def step_without_tau(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    return stepped(ref, x, y, score_fn, eps, eta / 2, eta * lam, eta**0.5, noise)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="no noise",
    hint="Where would a thousand particles end up if your step were repeated for ever?",
)
def step_without_noise(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    return stepped(ref, x, y, score_fn, eps, eta / 2, eta * lam, 0.0, noise)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="all particles share one noise vector",
    hint="Start two free particles at the same place: can they ever part?",
    seen_by="chance",
)
def step_noise_shared(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    n = torch.randn(1, x.shape[1], dtype=x.dtype).expand(x.shape) if noise is None else noise
    return stepped(ref, x, y, score_fn, eps, eta / 2, eta * lam, eta**0.5 * tau, n)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="the score has the wrong sign",
    hint="Without noise and transport, does your particle move towards higher or lower density?",
)
def step_minus_score(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    return stepped(ref, x, y, score_fn, eps, -eta / 2, eta * lam, eta**0.5 * tau, noise)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="the transport has the wrong sign",
    hint="Without score and noise, does the cost of the transport fall in a step?",
)
def step_minus_transport(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    return stepped(ref, x, y, score_fn, eps, eta / 2, -eta * lam, eta**0.5 * tau, noise)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="the transport is left out",
    hint="Does your step depend on y?",
)
def step_without_transport(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    return stepped(ref, x, y, score_fn, eps, eta / 2, 0.0, eta**0.5 * tau, noise)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="the score is left out",
    hint="Does your step ask score_fn anything?",
)
def step_without_score(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    return stepped(ref, x, y, score_fn, eps, 0.0, eta * lam, eta**0.5 * tau, noise)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="the step uses the velocity without debiasing",
    hint="A cloud that has arrived, no score, no noise: does your step leave it alone?",
)
def step_biased(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    return stepped(ref, x, y, score_fn, eps, eta / 2, eta * lam, eta**0.5 * tau, noise, debias=False)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="lam mixes the two: (1 - lam) score + lam transport",
    hint="What is left of the score in your step at lam = 1, and what in the formula?",
)
def step_mixture(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    return stepped(ref, x, y, score_fn, eps, (1 - lam) * eta / 2, eta * lam, eta**0.5 * tau, noise)


@mistake(
    of="score_ot_step",
    checks=("step/",),
    title="the score is evaluated where the transport has moved the particles",
    hint="At which points does the formula ask for the score, and at which do you?",
)
def step_one_after_the_other(ref, x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    moved = x + eta * lam * ref.ot_velocity(x, y, eps)
    return moved + eta / 2 * score_fn(moved) + eta**0.5 * tau * drawn(x, noise)


# ---- 7.3 morph


def answer(walk, return_traj):
    """What morph returns, from the list of frames."""
    return torch.stack(walk) if return_traj else walk[-1]


def all_noises(x0, n_steps, noises):
    """The given noises, or fresh ones, (n_steps, n, d)."""
    return torch.randn(n_steps, *x0.shape, dtype=x0.dtype) if noises is None else noises


def walked(ref, x0, y, score_fn, eta, lam, eps, tau, noises):
    """All frames of a walk with these noises, as a list."""
    walk = [x0]
    for n in noises:
        walk.append(ref.score_ot_step(walk[-1], y, score_fn, eta, lam, eps, tau, n))
    return walk


@mistake(
    of="morph",
    checks=("morph/",),
    title="the plans are computed once, from x0, and used for moved particles",
    hint="After the first step, whose neighbours is your plan about?",
)
def morph_plan_frozen(ref, x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    def plan(target):
        C = squares(x0, target)
        return torch.softmax((potential_of_columns(C, eps) - C) / eps, 1)

    there, here = plan(y), plan(x0)
    walk = [x0]
    for n in all_noises(x0, n_steps, noises):
        x = walk[-1]
        pull = there @ y - here @ x
        walk.append(x + eta / 2 * score_fn(x) + eta * lam * pull + eta**0.5 * tau * n)
    return answer(walk, return_traj)


@mistake(
    of="morph",
    checks=("morph/",),
    title="each particle is pulled for ever to the image it had at the start",
    hint="Particles that have changed places: should they still be drawn to their old targets?",
)
def morph_images_frozen(ref, x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    target = image(x0, y, eps)
    walk = [x0]
    for n in all_noises(x0, n_steps, noises):
        x = walk[-1]
        walk.append(x + eta / 2 * score_fn(x) + eta * lam * (target - x) + eta**0.5 * tau * n)
    return answer(walk, return_traj)


@mistake(
    of="morph",
    checks=("morph/",),
    title="the velocity of the first step is used in all steps",
    hint="A particle that has arrived: what stops it in your loop?",
)
def morph_velocity_frozen(ref, x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    v = ref.ot_velocity(x0, y, eps)
    walk = [x0]
    for n in all_noises(x0, n_steps, noises):
        x = walk[-1]
        walk.append(x + eta / 2 * score_fn(x) + eta * lam * v + eta**0.5 * tau * n)
    return answer(walk, return_traj)


@mistake(
    of="morph",
    checks=("morph/",),
    title="the same noise in every step",
    hint="How should the spread of free particles grow with the number of steps, and how does yours?",
)
def morph_noise_reused(ref, x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    first = drawn(x0, None) if noises is None else noises[0]
    return answer(walked(ref, x0, y, score_fn, eta, lam, eps, tau, [first] * n_steps), return_traj)


@mistake(
    of="morph",
    checks=("morph/",),
    title="the same noises in every call: the seed is set inside",
    hint="Call morph twice from the same start: should the two walks be the same?",
    seen_by="chance",
)
def morph_sets_the_seed(ref, x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    if noises is None:
        own = torch.Generator().manual_seed(0)
        noises = torch.randn(n_steps, *x0.shape, generator=own, dtype=x0.dtype)
    return answer(walked(ref, x0, y, score_fn, eta, lam, eps, tau, noises), return_traj)


@mistake(
    of="morph",
    checks=("morph/",),
    title="the given noises are used from the last to the first",
    hint="Which of the given noises belongs to the first step, and which do you use there?",
)
def morph_noises_reversed(ref, x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    return answer(
        walked(ref, x0, y, score_fn, eta, lam, eps, tau, all_noises(x0, n_steps, noises).flip(0)), return_traj
    )


@mistake(
    of="morph",
    checks=("morph/",),
    title="no noise in the last step",
    hint="How much do free particles move in your last step, and how much in the one before?",
)
def morph_last_step_silent(ref, x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    silent = torch.as_tensor(all_noises(x0, n_steps, noises)).clone()
    silent[-1] = 0
    return answer(walked(ref, x0, y, score_fn, eta, lam, eps, tau, silent), return_traj)


@mistake(
    of="morph",
    checks=("morph/",),
    title="tau is not handed on",
    hint="At temperature zero and without transport, do particles without score stand still?",
)
def morph_tau_dropped(ref, x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    return answer(walked(ref, x0, y, score_fn, eta, lam, eps, 1.0, all_noises(x0, n_steps, noises)), return_traj)


@mistake(
    of="morph",
    checks=("morph/",),
    title="one step too few",
    hint="How many frames, the start included, does a morph of three steps have?",
)
def morph_one_step_less(ref, x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    noises = all_noises(x0, n_steps, noises)[1:]
    return answer(walked(ref, x0, y, score_fn, eta, lam, eps, tau, noises), return_traj)


@mistake(
    of="morph",
    checks=("morph/",),
    title="the trajectory lacks the start",
    hint="What is the first frame of your trajectory, and what should it be?",
)
def morph_without_start(ref, x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    walk = walked(ref, x0, y, score_fn, eta, lam, eps, tau, all_noises(x0, n_steps, noises))
    return answer(walk[1:], return_traj)


@mistake(
    of="morph",
    checks=("morph/",),
    title="all frames are the last state",
    hint="Do the entries of your list share their memory? What happens to the old ones when x changes?",
)
def morph_frames_alike(ref, x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    walk = walked(ref, x0, y, score_fn, eta, lam, eps, tau, all_noises(x0, n_steps, noises))
    return answer([walk[-1]] * len(walk), return_traj)


@mistake(
    of="morph",
    checks=("morph/",),
    title="return_traj is ignored",
    hint="What is the shape of your result when only the end is asked for?",
)
def morph_always_all(ref, x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    return answer(walked(ref, x0, y, score_fn, eta, lam, eps, tau, all_noises(x0, n_steps, noises)), True)


# ---- 7.4 maps


@mistake(
    of="exact_ot_map_1d",
    title="the sorted targets are returned",
    hint="Whose image is the first entry of your result?",
)
def map_sorted(ref, x, y):
    return torch.sort(y).values


@mistake(
    of="exact_ot_map_1d",
    title="targets are taken at argsort(x), which is no rank",
    hint="For x = (5, 1, 3), what is argsort(x), and what are the ranks?",
)
def map_argsort_for_rank(ref, x, y):
    return torch.sort(y).values[torch.argsort(x)]


@mistake(
    of="exact_ot_map_1d",
    title="the nearest target of each particle",
    hint="Is every target used once?",
)
def map_nearest(ref, x, y):
    return y[(x[:, None] - y).abs().argmin(1)]


@mistake(
    of="exact_ot_map_1d",
    title="from y to x",
    hint="Your result consists of which of the two samples, and of which should it?",
)
def map_backwards(ref, x, y):
    return torch.sort(x).values[torch.argsort(torch.argsort(y))]


@mistake(
    of="displacement_interpolation",
    title="time runs backwards",
    hint="Where is every particle at time zero?",
)
def interpolation_backwards(ref, x, y, P, t):
    return t * x + (1 - t) * (P @ y) / P.sum(1)[:, None]


@mistake(
    of="displacement_interpolation",
    title="the rows of the plan are not normalised",
    hint="What do the weights with which you average y add up to in each row?",
)
def interpolation_rows_not_normalised(ref, x, y, P, t):
    return x + t * (P @ y - x)


@mistake(
    of="displacement_interpolation",
    title="all rows are taken to weigh 1/n",
    hint="Does your result change when one row of the plan is doubled, and should it?",
)
def interpolation_equal_weights(ref, x, y, P, t):
    return x + t * (len(x) * P @ y - x)


@mistake(
    of="displacement_interpolation",
    title="every particle goes to the target that gets most of it",
    hint="A row that is split in two equal halves: where does its particle go?",
)
def interpolation_argmax(ref, x, y, P, t):
    return x + t * (y[P.argmax(1)] - x)


# ---- 7.5 metrics


def replaced(ref, traj, y, name, value):
    """The right metrics with one of them changed; the rest does not depend on chance."""
    return {**ref_metrics(ref, traj, y), name: float(value)}


def ref_metrics(ref, traj, y):
    lengths = torch.linalg.vector_norm(traj.diff(dim=0), dim=-1)
    return {
        "sliced_w": float(sliced(traj[-1], y)),
        "path_length": float(lengths.sum(0).mean()),
        "energy": float(2 * spread(traj[-1], y) - spread(traj[-1], traj[-1]) - spread(y, y)),
    }


def spread(a, b):
    """Mean distance of all pairs."""
    return squares(a, b).sqrt().mean()


def sliced(a, b, unit=True, order=True, power=1):
    """Sliced distance of two clouds of equal size over 200 random directions."""
    rays = torch.randn(a.shape[1], 200, dtype=a.dtype)
    rays = rays / torch.linalg.vector_norm(rays, dim=0) if unit else rays
    u, v = a @ rays, b @ rays
    u, v = (u.sort(0).values, v.sort(0).values) if order else (u, v)
    return ((u - v).abs() ** power).mean()


@mistake(
    of="morph_metrics",
    title="all directions have positive coordinates",
    hint="Which angles can your directions have, and which should they?",
)
def sliced_positive_directions(ref, traj, y):
    rays = torch.rand(200, y.shape[1], dtype=y.dtype)
    return replaced(ref, traj, y, "sliced_w", along(traj[-1], y, rays))


@mistake(
    of="morph_metrics",
    title="the axes are the only directions",
    hint="Turn both clouds by the same angle: should your sliced distance change?",
)
def sliced_along_axes(ref, traj, y):
    return replaced(ref, traj, y, "sliced_w", along(traj[-1], y, torch.eye(y.shape[1], dtype=y.dtype)))


def along(a, b, rays):
    """The mean over rays (k, d) of W1 between clouds of equal size."""
    rays = (rays / torch.linalg.vector_norm(rays, dim=1, keepdim=True)).T
    return ((a @ rays).sort(0).values - (b @ rays).sort(0).values).abs().mean()


@mistake(
    of="morph_metrics",
    title="path lengths are added up over particles",
    hint="Does your path length double when there are twice as many particles?",
)
def path_sum(ref, traj, y):
    return replaced(ref, traj, y, "path_length", torch.linalg.vector_norm(traj.diff(dim=0), dim=-1).sum())


@mistake(
    of="morph_metrics",
    title="the path length is averaged over steps",
    hint="Should a path get shorter when the same way is cut into more steps?",
)
def path_mean_of_moves(ref, traj, y):
    return replaced(ref, traj, y, "path_length", torch.linalg.vector_norm(traj.diff(dim=0), dim=-1).mean())


@mistake(
    of="morph_metrics",
    title="the distance from start to end, not the length of the path",
    hint="What is your path length for a particle that returns to its start?",
)
def path_as_the_crow_flies(ref, traj, y):
    return replaced(ref, traj, y, "path_length", torch.linalg.vector_norm(traj[-1] - traj[0], dim=-1).mean())


@mistake(
    of="morph_metrics",
    title="squared moves are added up",
    hint="In which unit is your path length?",
)
def path_of_squares(ref, traj, y):
    return replaced(ref, traj, y, "path_length", traj.diff(dim=0).square().sum(-1).sum(0).mean())


@mistake(
    of="morph_metrics",
    title="the square root of the energy distance",
    hint="When all distances are doubled, what happens to your energy?",
    kind="convention",
)
def energy_root(ref, traj, y):
    return replaced(ref, traj, y, "energy", ref_metrics(ref, traj, y)["energy"] ** 0.5)


@mistake(
    of="morph_metrics",
    title="half the energy distance",
    hint="For one particle at 0 and one target at 3, what is your energy, and what is it by the formula?",
    kind="convention",
)
def energy_half(ref, traj, y):
    return replaced(ref, traj, y, "energy", ref_metrics(ref, traj, y)["energy"] / 2)


@mistake(
    of="morph_metrics",
    title="pairs of a point with itself are left out",
    hint="What is your energy between a cloud and itself?",
    kind="convention",
)
def energy_without_self_pairs(ref, traj, y):
    x = traj[-1]
    n, m = len(x), len(y)
    own = spread(x, x) * n / (n - 1) + spread(y, y) * m / (m - 1)
    return replaced(ref, traj, y, "energy", 2 * spread(x, y) - own)


@mistake(
    of="morph_metrics",
    title="squared distances in the energy",
    hint="Does your energy see more than the means of the two clouds?",
)
def energy_of_squares(ref, traj, y):
    x = traj[-1]
    value = 2 * squares(x, y).mean() - squares(x, x).mean() - squares(y, y).mean()
    return replaced(ref, traj, y, "energy", value)


@mistake(
    of="morph_metrics",
    title="only the distances between the clouds",
    hint="What is your energy between a cloud and itself, and what should it be?",
)
def energy_cross_only(ref, traj, y):
    return replaced(ref, traj, y, "energy", 2 * spread(traj[-1], y))


@mistake(
    of="morph_metrics",
    title="the first frame is compared with the target",
    hint="Which frame of the morph tells whether it has arrived?",
)
def metrics_of_first_frame(ref, traj, y):
    path = ref_metrics(ref, traj, y)["path_length"]
    return {**ref_metrics(ref, traj.flip(0), y), "path_length": path}


@mistake(
    of="morph_metrics",
    title="projections are compared without sorting",
    hint="What is your sliced distance between a cloud and the same cloud in another order?",
)
def sliced_unsorted(ref, traj, y):
    return replaced(ref, traj, y, "sliced_w", sliced(traj[-1], y, order=False))


@mistake(
    of="morph_metrics",
    title="directions are not of length 1",
    hint="On a line, does your sliced distance change from call to call?",
)
def sliced_long_directions(ref, traj, y):
    return replaced(ref, traj, y, "sliced_w", sliced(traj[-1], y, unit=False))


@mistake(
    of="morph_metrics",
    title="the mean of squared gaps, without a root",
    hint="In which unit is your sliced distance?",
)
def sliced_squared(ref, traj, y):
    return replaced(ref, traj, y, "sliced_w", sliced(traj[-1], y, power=2))


# ---- 7.7 noised score


@mistake(
    of="noised_score",
    title="divided by sigma, not by its square",
    hint="For a single point y, what is the derivative of the exponent in x?",
)
def noised_sigma_not_squared(ref, x, y, sigma):
    return (torch.softmax(-squares(x, y) / (2 * sigma**2), 1) @ y - x) / sigma


@mistake(
    of="noised_score",
    title="the exponent lacks its 1/2",
    hint="Half-way between two points, how fast should the balance tip when x moves?",
)
def noised_without_half(ref, x, y, sigma):
    return (torch.softmax(-squares(x, y) / sigma**2, 1) @ y - x) / sigma**2


@mistake(
    of="noised_score",
    title="all points pull alike",
    hint="Should a point a hundred sigma away pull as strongly as the nearest one?",
)
def noised_plain_mean(ref, x, y, sigma):
    return (y.mean(0) - x) / sigma**2


@mistake(
    of="noised_score",
    title="the sign is wrong",
    hint="To the right of a single point, which way does your arrow point?",
)
def noised_minus_sign(ref, x, y, sigma):
    return (x - torch.softmax(-squares(x, y) / (2 * sigma**2), 1) @ y) / sigma**2


@mistake(
    of="noised_score",
    title="Gaussians are exponentiated before they are divided",
    hint="What is 0/0 on your computer, and does it happen at x = (1000, 0)?",
)
def noised_underflows(ref, x, y, sigma):
    g = (-squares(x, y) / (2 * sigma**2)).exp()
    return (g @ y / g.sum(1, keepdim=True) - x) / sigma**2
