"""Known wrong answers of exercise 8, as overrides of the reference. Hints are questions, never the answer.

A mistake of a function is looked for in the checks of that function only: parts that build on a wrong one are skipped.
"""

import math

import torch

from gdgrade.mistakes import mistake


def rows(mask, x):
    """The mask (B, M, 1), ones if there is none."""
    return torch.ones(*x.shape[:2], 1, dtype=x.dtype) if mask is None else mask.to(x.dtype).reshape(*x.shape[:2], 1)


def middle(x, mask=None):
    """Centre of mass (B, 1, 3)."""
    keep = rows(mask, x)
    return (x * keep).sum(1, keepdim=True) / keep.sum(1, keepdim=True).clamp(min=1)


# ---- 8.1 the subspace


@mistake(
    of="remove_mean",
    checks=("centre/remove_mean", "centre/mask"),
    title="the mean over the batch is removed",
    hint="Which axis is the atoms'? Does a molecule of your result depend on the others?",
)
def centre_over_batch(ref, x, mask=None):
    return (x - x.mean(0, keepdim=True)) * rows(mask, x)


@mistake(
    of="remove_mean",
    checks=("centre/remove_mean", "centre/mask"),
    title="the mean over the three coordinates is removed",
    hint="Which axis is the atoms'? What is the sum of x, y and z of one of your atoms?",
)
def centre_over_coordinates(ref, x, mask=None):
    return (x - x.mean(2, keepdim=True)) * rows(mask, x)


@mistake(
    of="remove_mean",
    checks=("centre/remove_mean", "centre/mask"),
    title="one number, the mean of everything, is removed",
    hint="How many numbers does it take to say where one molecule is, and where four are?",
)
def centre_over_everything(ref, x, mask=None):
    return (x - x.mean()) * rows(mask, x)


@mistake(
    of="remove_mean",
    checks=("centre/remove_mean", "centre/mask"),
    title="the first atom is moved to zero",
    hint="What do the positions of your result add up to?",
)
def centre_at_first_atom(ref, x, mask=None):
    return (x - x[:, :1]) * rows(mask, x)


@mistake(
    of="remove_mean",
    checks=("centre/remove_mean", "centre/mask"),
    title="moved by the centre the wrong way",
    hint="A molecule whose centre is at (1, 0, 0): where is it afterwards?",
)
def centre_added(ref, x, mask=None):
    return (x + middle(x, mask)) * rows(mask, x)


@mistake(
    of="remove_mean",
    checks=("centre/mask",),
    title="rows without an atom count in the mean",
    hint="Put something huge into a row without an atom: does the rest of the molecule move?",
)
def centre_ignores_mask(ref, x, mask=None):
    return (x - x.mean(1, keepdim=True)) * rows(mask, x)


@mistake(
    of="remove_mean",
    checks=("centre/mask",),
    title="the sum over the atoms present is divided by the number of rows",
    hint="How many atoms does the smallest molecule of the batch have, and by what is its sum divided?",
)
def centre_divides_by_rows(ref, x, mask=None):
    keep = rows(mask, x)
    return (x - (x * keep).mean(1, keepdim=True)) * keep


def raw_noise(shape, generator, noise):
    """The given noise, or noise in all 3M dimensions."""
    return torch.randn(shape, generator=generator) if noise is None else noise


@mistake(
    of="com_free_noise",
    checks=("centre/",),
    title="the noise has a mean",
    hint="Can a network know where the box around the molecule is? What is the centre of mass of your noise?",
)
def noise_with_mean(ref, shape, generator=None, noise=None, mask=None):
    raw = raw_noise(shape, generator, noise)
    return raw * rows(mask, raw)


@mistake(
    of="com_free_noise",
    checks=("centre/",),
    title="projected noise is scaled up to variance 1 per number",
    hint="Is the projection of a standard normal vector standard normal within the subspace already?",
)
def noise_renormalised(ref, shape, generator=None, noise=None, mask=None):
    raw = raw_noise(shape, generator, noise)
    n = rows(mask, raw).sum(1, keepdim=True)
    return ref.remove_mean(raw, mask) * (n / (n - 1).clamp(min=1)).sqrt()


@mistake(
    of="com_free_noise",
    checks=("centre/",),
    title="noise that is given is not projected",
    hint="Hand noise with a mean to your function: does it come back unchanged?",
)
def noise_given_as_it_is(ref, shape, generator=None, noise=None, mask=None):
    return ref.remove_mean(torch.randn(shape, generator=generator), mask) if noise is None else noise


@mistake(
    of="com_free_noise",
    checks=("centre/",),
    title="the mask is ignored",
    hint="What is the mean of your noise over the atoms that are present?",
)
def noise_ignores_mask(ref, shape, generator=None, noise=None, mask=None):
    return ref.remove_mean(raw_noise(shape, generator, noise))


@mistake(
    of="com_free_noise",
    checks=("centre/",),
    title="the generator is not used",
    hint="Call your function twice with generators of equal seeds: do you get the same noise?",
)
def noise_ignores_generator(ref, shape, generator=None, noise=None, mask=None):
    return ref.remove_mean(raw_noise(shape, None, noise), mask)


@mistake(
    of="com_free_noise",
    checks=("centre/",),
    title="all molecules get the same noise",
    hint="Are two molecules of your batch noised independently of each other?",
    seen_by="chance",
)
def noise_shared(ref, shape, generator=None, noise=None, mask=None):
    if noise is None:
        noise = torch.randn(shape, generator=generator)[:1].expand(shape).clone()
    return ref.remove_mean(noise, mask)


@mistake(
    of="com_free_noise",
    checks=("centre/",),
    title="uniform noise",
    hint="Which law has each number of your noise before it is projected?",
    seen_by="chance",
)
def noise_uniform(ref, shape, generator=None, noise=None, mask=None):
    if noise is None:
        noise = (2 * torch.rand(shape, generator=generator) - 1) * 3**0.5
    return ref.remove_mean(noise, mask)


# ---- 8.2 density


def log_normal(x, dof, factor=0.5):
    return -factor * x.square().sum((1, 2)) - 0.5 * dof * math.log(2 * math.pi)


@mistake(
    of="log_prob_com_gaussian",
    checks=("density/",),
    title="3M degrees of freedom",
    hint="How many of the 3M numbers can be chosen freely when the centre of mass is at zero?",
)
def density_all_directions(ref, x):
    return log_normal(x, 3 * x.shape[1])


@mistake(
    of="log_prob_com_gaussian",
    checks=("density/",),
    title="3M - 1 degrees of freedom",
    hint="How many equations does a centre of mass at zero amount to?",
)
def density_one_direction_less(ref, x):
    return log_normal(x, 3 * x.shape[1] - 1)


@mistake(
    of="log_prob_com_gaussian",
    checks=("density/",),
    title="M - 1 degrees of freedom",
    hint="How many coordinates does an atom have?",
)
def density_atoms_only(ref, x):
    return log_normal(x, x.shape[1] - 1)


@mistake(
    of="log_prob_com_gaussian",
    checks=("density/",),
    title="without the constant",
    hint="Over what does the exponential of your answer integrate to 1?",
)
def density_without_constant(ref, x):
    return log_normal(x, 0)


@mistake(
    of="log_prob_com_gaussian",
    checks=("density/",),
    title="the square is not halved",
    hint="What variance has the normal law whose exponent you wrote down?",
)
def density_square_not_halved(ref, x):
    return log_normal(x, 3 * (x.shape[1] - 1), factor=1.0)


@mistake(
    of="log_prob_com_gaussian",
    checks=("density/",),
    title="the constant has its sign reversed",
    hint="Is the density at the mode of a normal law in many dimensions large or small?",
)
def density_constant_added(ref, x):
    return log_normal(x, -3 * (x.shape[1] - 1))


# ---- 8.3 forward process and loss


def level(schedule, t, x):
    return schedule["abar"][t].to(x.dtype)[:, None, None]


def free_noise(ref, x, noise, mask=None):
    """The given noise, or fresh noise of the subspace."""
    return ref.remove_mean(torch.randn_like(x) if noise is None else noise, mask)


@mistake(
    of="q_sample_com",
    checks=("forward/given_noise", "forward/drawn_noise"),
    title="abar and 1 - abar without their roots",
    hint="What is the variance of x_t if x_0 and the noise have variance 1?",
)
def forward_without_roots(ref, x0, t, schedule, noise=None, mask=None):
    a = level(schedule, t, x0)
    return a * x0 + (1 - a) * free_noise(ref, x0, noise, mask)


@mistake(
    of="q_sample_com",
    checks=("forward/given_noise", "forward/drawn_noise"),
    title="alpha of the step instead of the product of all alphas",
    hint="Which of the entries of the schedule says how much signal is left after t steps?",
)
def forward_one_step(ref, x0, t, schedule, noise=None, mask=None):
    a = schedule["alphas"][t].to(x0.dtype)[:, None, None]
    return a.sqrt() * x0 + (1 - a).sqrt() * free_noise(ref, x0, noise, mask)


@mistake(
    of="q_sample_com",
    checks=("forward/given_noise",),
    title="the level of the molecule is taken for that of a coordinate or an atom",
    hint="Three molecules at three steps: which axis of x_t does your level run along?",
)
def forward_level_on_the_wrong_axis(ref, x0, t, schedule, noise=None, mask=None):
    a = schedule["abar"][t].to(x0.dtype)
    a = a if len(a) == x0.shape[2] else a[:, None] if len(a) == x0.shape[1] else a[:, None, None]
    return a.sqrt() * x0 + (1 - a).sqrt() * free_noise(ref, x0, noise, mask)


@mistake(
    of="q_sample_com",
    checks=("forward/given_noise",),
    title="the data are divided by their standard deviation",
    hint="In which unit are the positions that come in, and in which those that go out?",
)
def forward_rescales_data(ref, x0, t, schedule, noise=None, mask=None):
    a = level(schedule, t, x0)
    return a.sqrt() * x0 / x0.std().clamp(min=1e-6) + (1 - a).sqrt() * free_noise(ref, x0, noise, mask)


@mistake(
    of="q_sample_com",
    checks=("forward/drawn_noise",),
    title="the noise that is drawn has a mean",
    hint="Where is the centre of mass of your x_t?",
    seen_by="chance",
)
def forward_noise_with_mean(ref, x0, t, schedule, noise=None, mask=None):
    a = level(schedule, t, x0)
    return a.sqrt() * x0 + (1 - a).sqrt() * (torch.randn_like(x0) if noise is None else noise)


@mistake(
    of="q_sample_com",
    checks=("forward/drawn_noise",),
    title="the noise that is drawn is scaled up to variance 1 per number",
    hint="Is the projection of a standard normal vector standard normal within the subspace already?",
    seen_by="chance",
)
def forward_noise_renormalised(ref, x0, t, schedule, noise=None, mask=None):
    M = x0.shape[1]
    if noise is None:
        noise = ref.remove_mean(torch.randn_like(x0)) * (M / max(M - 1, 1)) ** 0.5
    a = level(schedule, t, x0)
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


@mistake(
    of="q_sample_com",
    checks=("forward/drawn_noise",),
    title="all molecules get the same noise",
    hint="Are two molecules of your batch noised independently of each other?",
    seen_by="chance",
)
def forward_noise_shared(ref, x0, t, schedule, noise=None, mask=None):
    noise = torch.randn_like(x0[:1]).expand(x0.shape) if noise is None else noise
    a = level(schedule, t, x0)
    return a.sqrt() * x0 + (1 - a).sqrt() * ref.remove_mean(noise, mask)


@mistake(
    of="q_sample_com",
    checks=("sizes/noising_and_loss",),
    title="the mask is ignored",
    hint="Is the noise of a molecule of two atoms, in a batch of larger ones, centred over those two?",
)
def forward_ignores_mask(ref, x0, t, schedule, noise=None, mask=None):
    a = level(schedule, t, x0)
    return a.sqrt() * ref.remove_mean(x0) + (1 - a).sqrt() * 0.5 * free_noise(ref, x0, noise)


LOSSES = ("forward/loss", "forward/loss_of_turned_molecules", "forward/loss_draws", "forward/trains_a_network")


def drawn(ref, x0, schedule, t, noise, mask=None):
    """(t, noise), what is missing drawn as it should be."""
    if t is None:
        t = torch.randint(0, len(schedule["betas"]), (len(x0),))
    return t, free_noise(ref, x0, noise, mask)


@mistake(
    of="ddpm_loss_com",
    checks=LOSSES,
    title="the sum over atoms and coordinates",
    hint="Does your loss grow with the size of the molecule?",
    kind="convention",
)
def loss_sum_over_atoms(ref, model, x0, schedule, t=None, noise=None, mask=None):
    t, noise = drawn(ref, x0, schedule, t, noise)
    return (model(ref.q_sample_com(x0, t, schedule, noise), t) - noise).square().sum((1, 2)).mean()


@mistake(
    of="ddpm_loss_com",
    checks=LOSSES,
    title="the sum over coordinates, the mean over atoms",
    hint="By how many numbers is the sum of the squares divided in the statement?",
    kind="convention",
)
def loss_per_atom(ref, model, x0, schedule, t=None, noise=None, mask=None):
    t, noise = drawn(ref, x0, schedule, t, noise)
    return (model(ref.q_sample_com(x0, t, schedule, noise), t) - noise).square().sum(2).mean()


@mistake(
    of="ddpm_loss_com",
    checks=LOSSES,
    title="divided by the number of free directions",
    hint="What loss has a network that answers 0: 1, or 1 - 1/M? Which does the statement have?",
    kind="convention",
)
def loss_per_free_direction(ref, model, x0, schedule, t=None, noise=None, mask=None):
    t, noise = drawn(ref, x0, schedule, t, noise)
    gap = model(ref.q_sample_com(x0, t, schedule, noise), t) - noise
    return gap.square().sum((1, 2)).mean() / (3 * (x0.shape[1] - 1))


@mistake(
    of="ddpm_loss_com",
    checks=LOSSES,
    title="half the mean square",
    hint="What loss has a network that answers 0?",
    kind="convention",
)
def loss_halved(ref, model, x0, schedule, t=None, noise=None, mask=None):
    t, noise = drawn(ref, x0, schedule, t, noise)
    return (model(ref.q_sample_com(x0, t, schedule, noise), t) - noise).square().mean() / 2


@mistake(
    of="ddpm_loss_com",
    checks=LOSSES,
    title="the distance, not its square",
    hint="Which power of the error does the statement average?",
)
def loss_distance(ref, model, x0, schedule, t=None, noise=None, mask=None):
    t, noise = drawn(ref, x0, schedule, t, noise)
    return (model(ref.q_sample_com(x0, t, schedule, noise), t) - noise).abs().mean()


@mistake(
    of="ddpm_loss_com",
    checks=LOSSES,
    title="the network is trained to find the clean positions",
    hint="What does your network predict in the loss, and what does the step back take it for?",
)
def loss_target_clean(ref, model, x0, schedule, t=None, noise=None, mask=None):
    t, noise = drawn(ref, x0, schedule, t, noise)
    return (model(ref.q_sample_com(x0, t, schedule, noise), t) - x0).square().mean()


@mistake(
    of="ddpm_loss_com",
    checks=LOSSES,
    title="the network is told t / T",
    hint="Does the network see the same coding of the step in the loss and in the step back?",
)
def loss_tells_fraction(ref, model, x0, schedule, t=None, noise=None, mask=None):
    t, noise = drawn(ref, x0, schedule, t, noise)
    fraction = t.to(x0.dtype) / len(schedule["betas"])
    return (model(ref.q_sample_com(x0, t, schedule, noise), fraction) - noise).square().mean()


@mistake(
    of="ddpm_loss_com",
    checks=("forward/loss", "forward/loss_of_turned_molecules", "forward/trains_a_network"),
    title="the data are rescaled inside the loss",
    hint="In which unit are the positions that you noise, and in which those that you were given?",
)
def loss_rescales_data(ref, model, x0, schedule, t=None, noise=None, mask=None):
    x0 = x0 / x0.std().clamp(min=1e-6)
    t, noise = drawn(ref, x0, schedule, t, noise)
    return (model(ref.q_sample_com(x0, t, schedule, noise), t) - noise).square().mean()


@mistake(
    of="ddpm_loss_com",
    checks=("forward/trains_a_network",),
    title="the network is evaluated without a graph",
    hint="What does backward() of your loss leave in the gradients of the network?",
)
def loss_without_graph(ref, model, x0, schedule, t=None, noise=None, mask=None):
    t, noise = drawn(ref, x0, schedule, t, noise)
    return (model(ref.q_sample_com(x0, t, schedule, noise), t) - noise).square().mean().detach()


@mistake(
    of="ddpm_loss_com",
    checks=LOSSES,
    title="the noise to be found has a mean",
    hint="What part of the noise can no network find, however good? How large is it for three atoms?",
    seen_by="chance",
)
def loss_noise_with_mean(ref, model, x0, schedule, t=None, noise=None, mask=None):
    noise = torch.randn_like(x0) if noise is None else noise
    t, _ = drawn(ref, x0, schedule, t, noise)
    a = level(schedule, t, x0)
    return (model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t) - noise).square().mean()


@mistake(
    of="ddpm_loss_com",
    checks=LOSSES,
    title="the noise to be found has a mean, the positions do not",
    hint="Is the noise that you compare with the one that was added?",
)
def loss_target_with_mean(ref, model, x0, schedule, t=None, noise=None, mask=None):
    noise = torch.randn_like(x0) if noise is None else noise
    t, free = drawn(ref, x0, schedule, t, noise)
    return (model(ref.q_sample_com(x0, t, schedule, free), t) - noise).square().mean()


@mistake(
    of="ddpm_loss_com",
    checks=LOSSES,
    title="one step for the whole batch",
    hint="How many different t does the network see in one batch?",
    seen_by="chance",
)
def loss_one_t_per_batch(ref, model, x0, schedule, t=None, noise=None, mask=None):
    t = torch.randint(0, len(schedule["betas"]), (1,)).expand(len(x0)) if t is None else t
    t, noise = drawn(ref, x0, schedule, t, noise)
    return (model(ref.q_sample_com(x0, t, schedule, noise), t) - noise).square().mean()


@mistake(
    of="ddpm_loss_com",
    checks=LOSSES,
    title="the last step is never drawn",
    hint="What is the largest t you ever draw, and the largest that the way back asks for?",
    seen_by="chance",
)
def loss_never_draws_the_last(ref, model, x0, schedule, t=None, noise=None, mask=None):
    t = torch.randint(0, len(schedule["betas"]) - 1, (len(x0),)) if t is None else t
    t, noise = drawn(ref, x0, schedule, t, noise)
    return (model(ref.q_sample_com(x0, t, schedule, noise), t) - noise).square().mean()


@mistake(
    of="ddpm_loss_com",
    checks=LOSSES,
    title="the first step is never drawn",
    hint="What is the smallest t you ever draw, and the last that the way back asks for?",
    seen_by="chance",
)
def loss_never_draws_the_first(ref, model, x0, schedule, t=None, noise=None, mask=None):
    t = torch.randint(1, len(schedule["betas"]), (len(x0),)) if t is None else t
    t, noise = drawn(ref, x0, schedule, t, noise)
    return (model(ref.q_sample_com(x0, t, schedule, noise), t) - noise).square().mean()


@mistake(
    of="ddpm_loss_com",
    checks=("sizes/noising_and_loss",),
    title="the mean goes over rows without an atom as well",
    hint="Add empty rows to all molecules of a batch: does your loss change?",
)
def loss_counts_padding(ref, model, x0, schedule, t=None, noise=None, mask=None):
    t, noise = drawn(ref, x0, schedule, t, noise, mask)
    gap = model(ref.q_sample_com(x0, t, schedule, noise, mask), t) - noise
    return (gap * rows(mask, x0)).square().mean()


@mistake(
    of="ddpm_loss_com",
    checks=("sizes/noising_and_loss",),
    title="every molecule counts the same, however many atoms it has",
    hint="In your loss, how much does an atom of a small molecule count, and how much one of a large molecule?",
    kind="convention",
)
def loss_mean_of_means(ref, model, x0, schedule, t=None, noise=None, mask=None):
    t, noise = drawn(ref, x0, schedule, t, noise, mask)
    keep = rows(mask, x0)
    gap = (model(ref.q_sample_com(x0, t, schedule, noise, mask), t) - noise) * keep
    return (gap.square().sum((1, 2)) / (3 * keep.sum((1, 2)))).mean()


# ---- 8.4 rotations


@mistake(
    of="random_rotation",
    checks=("rotation/",),
    title="the signs of the QR decomposition are left as they are",
    hint="Draw a hundred matrices: how often is the upper left entry positive?",
    seen_by="chance",
)
def rotation_without_signs(ref, generator=None):
    q, _ = torch.linalg.qr(torch.randn(3, 3, generator=generator))
    return q * torch.sign(torch.linalg.det(q))


@mistake(
    of="random_rotation",
    checks=("rotation/",),
    title="half of the matrices are reflections",
    hint="What is the determinant of your matrix, and of the next one?",
)
def rotation_may_reflect(ref, generator=None):
    q, r = torch.linalg.qr(torch.randn(3, 3, generator=generator))
    return q * torch.sign(torch.diagonal(r))


@mistake(
    of="random_rotation",
    checks=("rotation/",),
    title="a normal matrix, not made orthogonal",
    hint="Does your matrix keep lengths?",
)
def rotation_normal_matrix(ref, generator=None):
    return torch.randn(3, 3, generator=generator)


def about(axis, angle):
    """Rotation matrix about coordinate axis 0, 1 or 2."""
    i, j = [k for k in range(3) if k != axis]
    turn = torch.eye(3)
    turn[i, i], turn[j, j], turn[i, j], turn[j, i] = angle.cos(), angle.cos(), -angle.sin(), angle.sin()
    return turn


@mistake(
    of="random_rotation",
    checks=("rotation/",),
    title="three angles, all uniform",
    hint="Where on the sphere do your rotations send the north pole, and do they send it everywhere equally often?",
    seen_by="chance",
)
def rotation_uniform_angles(ref, generator=None):
    a, b, c = 2 * math.pi * torch.rand(3, generator=generator)
    return about(2, a) @ about(1, b) @ about(2, c)


@mistake(
    of="random_rotation",
    checks=("rotation/",),
    title="a turn about one fixed axis",
    hint="Is there a direction that none of your rotations changes?",
    seen_by="chance",
)
def rotation_about_one_axis(ref, generator=None):
    return about(2, 2 * math.pi * torch.rand(1, generator=generator)[0])


@mistake(
    of="random_rotation",
    checks=("rotation/",),
    title="a uniform axis and a uniform angle",
    hint="Is a small turn as likely as a large one among all rotations?",
    seen_by="chance",
)
def rotation_uniform_angle(ref, generator=None):
    axis = torch.nn.functional.normalize(torch.randn(3, generator=generator), dim=0)
    angle = math.pi * torch.rand(1, generator=generator)[0]
    x, y, z = axis.tolist()
    return torch.linalg.matrix_exp(angle * torch.tensor([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]]))


@mistake(
    of="random_rotation",
    checks=("rotation/",),
    title="the generator is not used",
    hint="Call your function twice with generators of equal seeds: do you get the same rotation?",
)
def rotation_ignores_generator(ref, generator=None):
    q, r = torch.linalg.qr(torch.randn(3, 3))
    q = q * torch.sign(torch.diagonal(r))
    return q * torch.sign(torch.linalg.det(q))


# ---- 8.4 layer


def layer_class(ref, part):
    """The reference's layer with `part` in place of its way to moves and messages.

    Args:
        part: takes the layer, h, between (B, M, M, 3), keep (B, M, 1), edges (B, M, M, 1); returns messages and moves
            (B, M, M, 3), not yet averaged, and by what the sum of the moves is divided.
    """

    class EGNNLayer(ref.EGNNLayer):
        def forward(self, h, x, mask=None):
            keep = rows(mask, x)
            M = x.shape[1]
            edges = keep[:, :, None] * keep[:, None] * (1 - torch.eye(M, dtype=x.dtype))[..., None]
            messages, moves, others = part(self, h, x, keep, edges)
            x_out = x + (moves * edges).sum(2) / others
            return self.changed(h, x, (messages * edges).sum(2), x_out, keep)

        def changed(self, h, x, sums, x_out, keep):
            return (h + self.phi_h(torch.cat([h, sums], -1))) * keep, x_out * keep

    return EGNNLayer


def between_of(x):
    return x[:, :, None] - x[:, None]


def messages_of(layer, h, squared):
    B, M, F = h.shape
    return layer.phi_e(torch.cat([h[:, :, None].expand(B, M, M, F), h[:, None].expand(B, M, M, F), squared], -1))


def length_of(squared):
    return torch.where(squared > 0, squared, 1.0).sqrt() * (squared > 0)


def others_of(keep):
    return (keep.sum(1, keepdim=True) - 1).clamp(min=1)


def ordinary(layer, h, x, keep, squared=None):
    """Messages and moves of the right layer, perhaps with another squared distance in the messages."""
    between = between_of(x)
    right = between.square().sum(-1, keepdim=True)
    messages = messages_of(layer, h, right if squared is None else squared)
    return messages, between / (length_of(right) + 1) * layer.phi_x(messages)


LAYER = ("egnn/layer_",)


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="messages see the positions themselves",
    hint="Shift the molecule: does anything change that should not?",
    factory=True,
)
def layer_sees_positions(ref):
    def part(layer, h, x, keep, edges):
        h = h + x.sum(-1, keepdim=True)
        return *ordinary(layer, h, x, keep), others_of(keep)

    return layer_class(ref, part)


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="the square of the sum of the differences, not the sum of their squares",
    hint="How far apart are (0, 0, 0) and (1, -1, 0) by your formula?",
    factory=True,
)
def layer_square_of_sum(ref):
    def part(layer, h, x, keep, edges):
        return *ordinary(layer, h, x, keep, between_of(x).sum(-1, keepdim=True) ** 2), others_of(keep)

    return layer_class(ref, part)


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="the squares are summed over the atoms, not over the coordinates",
    hint="Over which axis do you sum the squared differences, and how many numbers does a pair of atoms get?",
    factory=True,
)
def layer_sums_over_atoms(ref):
    def part(layer, h, x, keep, edges):
        squared = between_of(x).square().sum(2, keepdim=True)[..., :1].expand(-1, -1, x.shape[1], -1)
        return *ordinary(layer, h, x, keep, squared), others_of(keep)

    return layer_class(ref, part)


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="the root of a squared distance of zero: its gradient is not a number",
    hint="What is the derivative of the square root at 0, and which distance is always 0?",
    factory=True,
)
def layer_root_at_zero(ref):
    def part(layer, h, x, keep, edges):
        between = between_of(x)
        squared = between.square().sum(-1, keepdim=True)
        messages = messages_of(layer, h, squared)
        return messages, between / (squared.sqrt() + 1) * layer.phi_x(messages), others_of(keep)

    return layer_class(ref, part)


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="divided by the distance, also from an atom to itself",
    hint="How far is an atom from itself, and what do you divide by that?",
    factory=True,
)
def layer_divides_by_zero(ref):
    def part(layer, h, x, keep, edges):
        between = between_of(x)
        squared = between.square().sum(-1, keepdim=True)
        messages = messages_of(layer, h, squared)
        return messages, between / squared.sqrt() * layer.phi_x(messages), others_of(keep)

    return layer_class(ref, part)


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="the moves are summed, not averaged",
    hint="Put a second atom on top of an atom's only neighbour: should it be pushed harder?",
    factory=True,
)
def layer_not_averaged(ref):
    return layer_class(ref, lambda layer, h, x, keep, edges: (*ordinary(layer, h, x, keep), 1.0))


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="averaged over all atoms, the atom itself among them",
    hint="How many others does an atom have, and by how many do you divide?",
    factory=True,
)
def layer_divides_by_all(ref):
    def part(layer, h, x, keep, edges):
        return *ordinary(layer, h, x, keep), keep.sum(1, keepdim=True).clamp(min=1)

    return layer_class(ref, part)


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="the mask is ignored",
    hint="Put something huge into a row without an atom: do the others feel it?",
    factory=True,
)
def layer_ignores_mask(ref):
    class EGNNLayer(ref.EGNNLayer):
        def forward(self, h, x, mask=None):
            return super().forward(h, x)

    return EGNNLayer


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="rows without an atom count in the average",
    hint="How many others does an atom of the smallest molecule have, and by how many do you divide?",
    factory=True,
)
def layer_counts_padding(ref):
    return layer_class(ref, lambda layer, h, x, keep, edges: (*ordinary(layer, h, x, keep), max(x.shape[1] - 1, 1)))


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="an atom hears only of those after it in the list",
    hint="Exchange two atoms: are their answers exchanged, and nothing else?",
    factory=True,
)
def layer_later_ones_only(ref):
    def part(layer, h, x, keep, edges):
        messages, moves = ordinary(layer, h, x, keep)
        later = torch.ones(x.shape[1], x.shape[1], dtype=x.dtype).triu(1)[..., None]
        return messages * later, moves * later, others_of(keep)

    return layer_class(ref, part)


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="the moves are returned without the positions",
    hint="Shift the molecule: where is the result?",
    factory=True,
)
def layer_returns_moves(ref):
    class EGNNLayer(ref.EGNNLayer):
        def forward(self, h, x, mask=None):
            h_out, x_out = super().forward(h, x, mask)
            return h_out, x_out - x * rows(mask, x)

    return EGNNLayer


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="the features are not updated",
    hint="How does an atom learn in the first layer what the second one needs?",
    factory=True,
)
def layer_keeps_features(ref):
    class EGNNLayer(ref.EGNNLayer):
        def forward(self, h, x, mask=None):
            return h, super().forward(h, x, mask)[1]

    return EGNNLayer


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="the messages do not see the features of the other atom",
    hint="Give another element to an atom's only neighbour: do the atom's features notice?",
    factory=True,
)
def layer_own_features_twice(ref):
    def part(layer, h, x, keep, edges):
        between, own = between_of(x), h[:, :, None].expand(-1, -1, x.shape[1], -1)
        squared = between.square().sum(-1, keepdim=True)
        messages = layer.phi_e(torch.cat([own, own, squared], -1))
        return messages, between / (length_of(squared) + 1) * layer.phi_x(messages), others_of(keep)

    return layer_class(ref, part)


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="averaged over all atoms where no mask is given",
    hint="Do you get the same without a mask and with a mask of ones?",
    factory=True,
)
def layer_divides_by_all_unmasked(ref):
    class EGNNLayer(ref.EGNNLayer):
        def forward(self, h, x, mask=None):
            M = x.shape[1]
            features, places = super().forward(h, x, mask)
            return features, places if mask is not None else x + (places - x) * max(M - 1, 1) / M

    return EGNNLayer


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="the mean of the messages, not their sum, goes into the features",
    hint="An atom's only neighbour is there twice: what becomes of the sum of the messages, and what of yours?",
    factory=True,
)
def layer_means_messages(ref):
    class EGNNLayer(layer_class(ref, lambda layer, h, x, keep, edges: (*ordinary(layer, h, x, keep), others_of(keep)))):
        def changed(self, h, x, sums, x_out, keep):
            return super().changed(h, x, sums / others_of(keep), x_out, keep)

    return EGNNLayer


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="an atom sends a message to itself",
    hint="A single atom: how many messages does it get?",
    factory=True,
)
def layer_hears_itself(ref):
    class EGNNLayer(ref.EGNNLayer):
        def forward(self, h, x, mask=None):
            keep = rows(mask, x)
            messages, moves = ordinary(self, h, x, keep)
            heard = (messages * keep[:, :, None] * keep[:, None]).sum(2)
            x_out = x + (moves * keep[:, :, None] * keep[:, None]).sum(2) / others_of(keep)
            return (h + self.phi_h(torch.cat([h, heard], -1))) * keep, x_out * keep

    return EGNNLayer


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="the new features replace the old ones",
    hint="If phi_h answers 0, what should h' be, and what is yours?",
    factory=True,
)
def layer_replaces_features(ref):
    class EGNNLayer(ref.EGNNLayer):
        def forward(self, h, x, mask=None):
            features, places = super().forward(h, x, mask)
            return (features - h) * rows(mask, x), places

    return EGNNLayer


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="the messages do not see the distances",
    hint="Stretch the molecule: do your features notice?",
    factory=True,
)
def layer_without_distance(ref):
    def part(layer, h, x, keep, edges):
        return *ordinary(layer, h, x, keep, 0 * between_of(x)[..., :1]), others_of(keep)

    return layer_class(ref, part)


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="each coordinate has a weight of its own",
    hint="Turn the molecule so that x becomes y: what becomes of your moves?",
    factory=True,
)
def layer_weighs_coordinates(ref):
    def part(layer, h, x, keep, edges):
        messages, moves = ordinary(layer, h, x, keep)
        return messages, moves * torch.tensor([1.0, 0.5, 0.25], dtype=x.dtype), others_of(keep)

    return layer_class(ref, part)


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="moves by a cross product: the layer turns with the molecule, but its mirror image differs",
    hint="Mirror the molecule: is your answer mirrored?",
    factory=True,
)
def layer_handed(ref):
    def part(layer, h, x, keep, edges):
        messages, moves = ordinary(layer, h, x, keep)
        from_others = (between_of(x) * edges).sum(2, keepdim=True).expand_as(moves)
        return messages, moves + 0.1 * torch.linalg.cross(moves, from_others), others_of(keep)

    return layer_class(ref, part)


@mistake(
    of="EGNNLayer",
    checks=LAYER,
    title="the distances are detached",
    hint="Which way does the gradient of the loss take back to the positions of the layer before?",
    factory=True,
)
def layer_detached(ref):
    def part(layer, h, x, keep, edges):
        return *ordinary(layer, h, x, keep, between_of(x).square().sum(-1, keepdim=True).detach()), others_of(keep)

    return layer_class(ref, part)


# ---- 8.4 network


NETWORK = ("egnn/network_",)


@mistake(
    of="EGNN",
    checks=NETWORK,
    title="the time is ignored",
    hint="Is the answer different for t = 0 and for t = T - 1?",
    factory=True,
)
def network_without_time(ref):
    class EGNN(ref.EGNN):
        def forward(self, x_t, t, h=None, mask=None):
            return super().forward(x_t, torch.zeros_like(t), h, mask)

    return EGNN


@mistake(
    of="EGNN",
    checks=NETWORK,
    title="the first molecule's time is used for all",
    hint="Can two molecules of a batch be at different steps in your network?",
    factory=True,
)
def network_time_of_the_first(ref):
    class EGNN(ref.EGNN):
        def forward(self, x_t, t, h=None, mask=None):
            return super().forward(x_t, t[:1].expand(len(t)), h, mask)

    return EGNN


@mistake(
    of="EGNN",
    checks=NETWORK,
    title="h is ignored",
    hint="How does your network know which atom is the oxygen?",
    factory=True,
)
def network_without_features(ref):
    class EGNN(ref.EGNN):
        def forward(self, x_t, t, h=None, mask=None):
            return super().forward(x_t, t, None, mask)

    return EGNN


@mistake(
    of="EGNN",
    checks=NETWORK,
    title="without h, zeros stand in for it",
    hint="What does the statement say h is when it is not given?",
    factory=True,
)
def network_zeros_for_ones(ref):
    class EGNN(ref.EGNN):
        def forward(self, x_t, t, h=None, mask=None):
            h = torch.zeros(*x_t.shape[:2], self.h_dim, dtype=x_t.dtype) if h is None else h
            return super().forward(x_t, t, h, mask)

    return EGNN


def moved(net, x_t, t, h, mask, layers=None):
    """x_out of the reference's network."""
    B, M, _ = x_t.shape
    h = torch.ones(B, M, net.h_dim, dtype=x_t.dtype) if h is None else h.to(x_t.dtype)
    half = net.N_TIME // 2
    angles = t.to(x_t.dtype)[:, None] * torch.exp(-math.log(1e4) / half * torch.arange(half, dtype=x_t.dtype))
    time = torch.cat([angles.sin(), angles.cos()], 1)[:, None].expand(B, M, net.N_TIME)
    features, x = net.embed(torch.cat([h, time], -1)), x_t
    for layer in net.layers if layers is None else layers:
        features, x = layer(features, x, mask)
    return x


@mistake(
    of="EGNN",
    checks=NETWORK,
    title="the answer keeps its mean",
    hint="What is the mean of your answer over the atoms, and that of the noise it is to find?",
    factory=True,
)
def network_with_mean(ref):
    class EGNN(ref.EGNN):
        def forward(self, x_t, t, h=None, mask=None):
            return moved(self, x_t, t, h, mask) - x_t

    return EGNN


@mistake(
    of="EGNN",
    checks=NETWORK,
    title="the positions after the layers, not the way they moved",
    hint="Is your answer a place or a displacement? What is it if no atom moves?",
    factory=True,
)
def network_returns_positions(ref):
    class EGNN(ref.EGNN):
        def forward(self, x_t, t, h=None, mask=None):
            return moved(self, x_t, t, h, mask)

    return EGNN


@mistake(
    of="EGNN",
    checks=NETWORK,
    title="only the first layer is applied",
    hint="Which of your layers get a gradient?",
    factory=True,
)
def network_first_layer_only(ref):
    class EGNN(ref.EGNN):
        def forward(self, x_t, t, h=None, mask=None):
            return ref.remove_mean(moved(self, x_t, t, h, mask, self.layers[:1]) - x_t, mask)

    return EGNN


@mistake(
    of="EGNN",
    checks=NETWORK,
    title="the mean over the batch is removed from the answer",
    hint="Does the answer to one molecule depend on the others of its batch?",
    factory=True,
)
def network_mean_over_batch(ref):
    class EGNN(ref.EGNN):
        def forward(self, x_t, t, h=None, mask=None):
            out = moved(self, x_t, t, h, mask) - x_t
            return out - out.mean(dim=(0, 1), keepdim=True)

    return EGNN


@mistake(
    of="EGNN",
    checks=NETWORK,
    title="every row of the list of atoms has a code of its own",
    hint="Exchange two atoms of one element: are their answers exchanged, and nothing else?",
    factory=True,
)
def network_counts_rows(ref):
    class EGNN(ref.EGNN):
        def forward(self, x_t, t, h=None, mask=None):
            h = torch.ones(*x_t.shape[:2], self.h_dim, dtype=x_t.dtype) if h is None else h
            return super().forward(x_t, t, h + 0.1 * torch.arange(x_t.shape[1])[None, :, None], mask)

    return EGNN


@mistake(
    of="EGNN",
    checks=NETWORK,
    title="the layers stand in a plain list",
    hint="Does the optimiser see all of your layers? How many numbers does parameters() list?",
    factory=True,
)
def network_hidden_layers(ref):
    class EGNN(ref.EGNN):
        def __init__(self, hidden=32, n_layers=3, h_dim=1):
            super().__init__(hidden, n_layers, h_dim)
            self.kept = list(self._modules.pop("layers"))

        def forward(self, x_t, t, h=None, mask=None):
            return ref.remove_mean(moved(self, x_t, t, h, mask, self.kept) - x_t, mask)

    return EGNN


@mistake(
    of="EGNN",
    checks=NETWORK,
    title="one layer, used again and again",
    hint="How does the number of parameters of your network grow with n_layers?",
    factory=True,
)
def network_one_layer(ref):
    class EGNN(ref.EGNN):
        def __init__(self, hidden=32, n_layers=3, h_dim=1):
            super().__init__(hidden, 1, h_dim)
            self.times = n_layers

        def forward(self, x_t, t, h=None, mask=None):
            return ref.remove_mean(moved(self, x_t, t, h, mask, [self.layers[0]] * self.times) - x_t, mask)

    return EGNN


@mistake(
    of="EGNN",
    checks=("sizes/network",),
    title="the mask does not reach the layers",
    hint="Which of the parts of your network know that some rows hold no atom?",
    factory=True,
)
def network_ignores_mask(ref):
    class EGNN(ref.EGNN):
        def forward(self, x_t, t, h=None, mask=None):
            return super().forward(x_t, t, h)

    return EGNN


# ---- 8.5 the way back


BACK = ("back/",)


def stepped(ref, model, x_t, t, schedule, noise, mask=None, *, mean=None, deviation=None, last=False, project=True):
    """The step with another mean or deviation, noise in the last step too, or a result that is not projected."""
    beta, alpha, abar = (schedule[key][t].to(x_t.dtype) for key in ("betas", "alphas", "abar"))
    eps = model(x_t, torch.full((len(x_t),), t))
    out = (x_t - beta / (1 - abar).sqrt() * eps) / alpha.sqrt() if mean is None else mean(x_t, eps, beta, alpha, abar)
    if t > 0 or last:
        n = free_noise(ref, x_t, noise, mask) if project else (torch.randn_like(x_t) if noise is None else noise)
        out = out + (beta.sqrt() if deviation is None else deviation(beta, alpha, abar)) * n
    return ref.remove_mean(out, mask) if project else out


@mistake(
    of="p_sample_com",
    checks=BACK,
    title="the noise is multiplied by beta",
    hint="What does the second argument of N(mean, ...) mean?",
)
def step_noise_times_beta(ref, model, x_t, t, schedule, noise=None, mask=None):
    return stepped(ref, model, x_t, t, schedule, noise, mask, deviation=lambda beta, alpha, abar: beta)


@mistake(
    of="p_sample_com",
    checks=BACK,
    title="the variance of the posterior instead of beta",
    hint="Which of the two variances of the reverse step does the assignment fix?",
    kind="convention",
)
def step_posterior_variance(ref, model, x_t, t, schedule, noise=None, mask=None):
    def deviation(beta, alpha, abar):
        return ((1 - abar / alpha) / (1 - abar) * beta).sqrt()

    return stepped(ref, model, x_t, t, schedule, noise, mask, deviation=deviation)


@mistake(
    of="p_sample_com",
    checks=BACK,
    title="noise in the last step as well",
    hint="Are your final positions still noisy by design?",
)
def step_noise_at_the_end(ref, model, x_t, t, schedule, noise=None, mask=None):
    return stepped(ref, model, x_t, t, schedule, noise, mask, last=True)


@mistake(
    of="p_sample_com",
    checks=BACK,
    title="no noise",
    hint="Where do a thousand starts end up if all data are Gaussian?",
)
def step_without_noise(ref, model, x_t, t, schedule, noise=None, mask=None):
    return stepped(ref, model, x_t, t, schedule, noise, mask, deviation=lambda beta, alpha, abar: 0.0)


@mistake(
    of="p_sample_com",
    checks=BACK,
    title="alpha and abar exchanged in the mean",
    hint="Which of the alphas of the formula has a bar?",
)
def step_bar_in_the_wrong_place(ref, model, x_t, t, schedule, noise=None, mask=None):
    def mean(x, eps, beta, alpha, abar):
        return (x - (1 - abar) / (1 - abar).sqrt() * eps) / alpha.sqrt()

    return stepped(ref, model, x_t, t, schedule, noise, mask, mean=mean)


@mistake(
    of="p_sample_com",
    checks=BACK,
    title="the mean is not divided by the root of alpha",
    hint="If the noise is 0, by which factor must x shrink or grow to undo a step of the forward process?",
)
def step_without_division(ref, model, x_t, t, schedule, noise=None, mask=None):
    def mean(x, eps, beta, alpha, abar):
        return x - beta / (1 - abar).sqrt() * eps

    return stepped(ref, model, x_t, t, schedule, noise, mask, mean=mean)


@mistake(
    of="p_sample_com",
    checks=BACK,
    title="the mean of the network's answer stays in the result",
    hint="Where is the centre of mass after a hundred steps, if each of the network's answers has a small mean?",
)
def step_answer_not_projected(ref, model, x_t, t, schedule, noise=None, mask=None):
    return stepped(ref, model, x_t, t, schedule, free_noise(ref, x_t, noise, mask), mask, project=False)


@mistake(
    of="p_sample_com",
    checks=BACK,
    title="the network's answer is projected, the noise is not",
    hint="Which of the terms of your step may have a mean?",
)
def step_noise_with_mean(ref, model, x_t, t, schedule, noise=None, mask=None):
    def centred_model(x, index):
        return ref.remove_mean(model(x, index), mask)

    return stepped(ref, centred_model, x_t, t, schedule, noise, mask, project=False)


@mistake(
    of="p_sample_com",
    checks=BACK,
    title="the noise that is drawn is scaled up to variance 1 per number",
    hint="Is the projection of a standard normal vector standard normal within the subspace already?",
    seen_by="chance",
)
def step_noise_renormalised(ref, model, x_t, t, schedule, noise=None, mask=None):
    M = x_t.shape[1]
    noise = torch.randn_like(x_t) * (M / max(M - 1, 1)) ** 0.5 if noise is None else noise
    return stepped(ref, model, x_t, t, schedule, noise, mask)


@mistake(
    of="p_sample_com",
    checks=BACK,
    title="all molecules get the same noise",
    hint="Start two molecules at the same place: can they ever part?",
    seen_by="chance",
)
def step_noise_shared(ref, model, x_t, t, schedule, noise=None, mask=None):
    noise = torch.randn_like(x_t[:1]).expand(x_t.shape) if noise is None else noise
    return stepped(ref, model, x_t, t, schedule, noise, mask)


@mistake(
    of="p_sample_com",
    checks=("sizes/step_back",),
    title="the mask is ignored",
    hint="Is a molecule of two atoms, in a batch of larger ones, centred over those two?",
)
def step_ignores_mask(ref, model, x_t, t, schedule, noise=None, mask=None):
    return stepped(ref, model, x_t, t, schedule, noise)


# ---- 8.6 bonds and stability


ORDERS = ("bonds/well_known_bonds", "bonds/whole_table")


def limits(ref, a, b):
    """(order, length, tolerance) of the pair, triple first."""
    tables = ((3, ref.TRIPLE), (2, ref.DOUBLE), (1, ref.SINGLE))
    found = [(order, table.get(a + b, table.get(b + a)), ref.TOLERANCES[order]) for order, table in tables]
    return [entry for entry in found if entry[1] is not None]


@mistake(
    of="bond_order",
    checks=ORDERS,
    title="the single bond is looked at first, and returned",
    hint="In which order stand your ifs? How long is the longest single bond, and the longest double one?",
)
def order_single_first(ref, a, b, d):
    return next((order for order, length, more in reversed(limits(ref, a, b)) if 100 * d < length + more), 0)


@mistake(
    of="bond_order",
    checks=ORDERS,
    title="angstrom are compared with picometres",
    hint="In which unit is d, and in which is the table?",
)
def order_in_angstrom(ref, a, b, d):
    return next((order for order, length, more in limits(ref, a, b) if d < length + more), 0)


@mistake(
    of="bond_order",
    checks=ORDERS,
    title="without the tolerances",
    hint="Is a C-C bond of 1.55 angstrom still a bond?",
)
def order_without_tolerance(ref, a, b, d):
    return next((order for order, length, _ in limits(ref, a, b) if 100 * d < length), 0)


@mistake(
    of="bond_order",
    checks=ORDERS,
    title="one tolerance for all orders",
    hint="Which tolerance does the statement have for double and for triple bonds?",
)
def order_one_tolerance(ref, a, b, d):
    return next((order for order, length, _ in limits(ref, a, b) if 100 * d < length + 10), 0)


@mistake(
    of="bond_order",
    checks=ORDERS,
    title="the order whose length is nearest",
    hint="By how much may a bond be longer than its entry, and by how much shorter?",
)
def order_nearest(ref, a, b, d):
    near = min(limits(ref, a, b), key=lambda entry: abs(100 * d - entry[1]))
    return near[0] if 100 * d < near[1] + near[2] else 0


@mistake(
    of="bond_order",
    checks=ORDERS,
    title="a bond must also not be shorter than its length less the tolerance",
    hint="What does the statement say of two atoms nearer than the table's length?",
)
def order_not_shorter(ref, a, b, d):
    return next((order for order, length, more in limits(ref, a, b) if abs(100 * d - length) < more), 0)


@mistake(
    of="bond_order",
    checks=ORDERS,
    title="the pair is found in one order of the atoms only",
    hint="Is the bond from O to H the one from H to O?",
)
def order_one_way(ref, a, b, d):
    tables = ((3, ref.TRIPLE), (2, ref.DOUBLE), (1, ref.SINGLE))
    return next((k for k, table in tables if a + b in table and 100 * d < table[a + b] + ref.TOLERANCES[k]), 0)


STABLE = ("bonds/hand_molecules", "bonds/real_molecules")


def bonds_of(ref, x, types):
    """Bond orders of all pairs, (M, M), zero on the diagonal."""
    M = len(types)
    orders = torch.zeros(M, M)
    for i in range(M):
        for j in range(i):
            orders[i, j] = orders[j, i] = ref.bond_order(types[i], types[j], float((x[i] - x[j]).norm()))
    return orders


def verdict(ref, types, sums, right=lambda total, due: total == due):
    fine = [bool(right(float(total), ref.VALENCES[symbol])) for total, symbol in zip(sums, types, strict=True)]
    return sum(fine) / len(fine), all(fine)


@mistake(
    of="stability",
    checks=STABLE,
    title="every bond is counted twice",
    hint="Water: how many bonds does your oxygen have?",
)
def stability_bonds_twice(ref, x, types):
    return verdict(ref, types, 2 * bonds_of(ref, x, types).sum(1))


@mistake(
    of="stability",
    checks=STABLE,
    title="an atom is bonded to itself",
    hint="How far is an atom from itself, and what does the table make of that?",
)
def stability_self_bonds(ref, x, types):
    own = torch.tensor([float(ref.bond_order(symbol, symbol, 0.0)) for symbol in types])
    return verdict(ref, types, bonds_of(ref, x, types).sum(1) + own)


@mistake(
    of="stability",
    checks=STABLE,
    title="a bond counts for one of its two atoms only",
    hint="Water: how many bonds has the oxygen, and how many has each hydrogen?",
)
def stability_one_end(ref, x, types):
    return verdict(ref, types, bonds_of(ref, x, types).triu().sum(1))


@mistake(
    of="stability",
    checks=STABLE,
    title="double and triple bonds count once",
    hint="Ethene: how many bonds does a carbon have, and which valence must it reach?",
)
def stability_counts_bonds(ref, x, types):
    return verdict(ref, types, (bonds_of(ref, x, types) > 0).sum(1))


@mistake(
    of="stability",
    checks=STABLE,
    title="fewer bonds than the valence are accepted",
    hint="Is a lone oxygen atom stable by your rule?",
)
def stability_too_few_accepted(ref, x, types):
    return verdict(ref, types, bonds_of(ref, x, types).sum(1), lambda total, due: total <= due)


@mistake(
    of="stability",
    checks=STABLE,
    title="more bonds than the valence are accepted",
    hint="Is a carbon with five neighbours stable by your rule?",
)
def stability_too_many_accepted(ref, x, types):
    return verdict(ref, types, bonds_of(ref, x, types).sum(1), lambda total, due: total >= due)


@mistake(
    of="stability",
    checks=STABLE,
    title="the molecule is called stable if most of its atoms are",
    hint="Is a molecule with one wrong atom stable?",
)
def stability_of_most(ref, x, types):
    share, _ = verdict(ref, types, bonds_of(ref, x, types).sum(1))
    return share, share > 0.5


@mistake(
    of="stability",
    checks=STABLE,
    title="the first result is a number of atoms, not a share",
    hint="What is the largest value that your first result can have?",
)
def stability_counts_atoms(ref, x, types):
    share, stable = verdict(ref, types, bonds_of(ref, x, types).sum(1))
    return share * len(types), stable


# ---- 8.8 laying one cloud over another


def rotation_between(ref, x, y, reflect=False):
    u, _, vt = torch.linalg.svd(x.T @ y)
    flip = torch.ones(3, dtype=x.dtype)
    flip[2] = 1.0 if reflect else torch.sign(torch.linalg.det(u @ vt))
    return vt.T @ torch.diag(flip) @ u.T


@mistake(
    of="kabsch",
    checks=("align/kabsch",),
    title="the transposed rotation",
    hint="Are your points rows or columns, and from which side does your matrix turn them?",
    kind="convention",
)
def kabsch_transposed(ref, x, y):
    return rotation_between(ref, x - x.mean(0), y - y.mean(0)).T


@mistake(
    of="kabsch",
    checks=("align/kabsch",),
    title="the best orthogonal matrix, perhaps a reflection",
    hint="What is the determinant of your matrix when one cloud is the mirror image of the other?",
)
def kabsch_may_reflect(ref, x, y):
    return rotation_between(ref, x - x.mean(0), y - y.mean(0), reflect=True)


@mistake(
    of="kabsch",
    checks=("align/kabsch",),
    title="the clouds are not centred",
    hint="Shift one of the clouds: does your rotation change?",
)
def kabsch_not_centred(ref, x, y):
    return rotation_between(ref, x, y)


def laid_over(ref, x, y, starts=20):
    """x over y, as the reference does it, from its first starts."""
    from scipy.optimize import linear_sum_assignment

    centre, target = x - x.mean(0), y - y.mean(0)
    generator = torch.Generator().manual_seed(0)
    found = []
    for start in [torch.eye(3), *(ref.random_rotation(generator) for _ in range(starts))]:
        turned, match = centre @ start.to(x).T, torch.arange(len(x))
        for _ in range(50):
            before, cost = match, torch.cdist(turned, target).square().numpy()
            match = torch.from_numpy(linear_sum_assignment(cost)[1])
            turned = centre @ rotation_between(ref, centre, target[match]).T
            if torch.equal(before, match):
                break
        found.append((float((turned - target[match]).square().sum()), turned + y.mean(0), match))
    return min(found, key=lambda entry: entry[0])[1:]


@mistake(
    of="align",
    checks=("align/align",),
    title="the inverse permutation",
    hint="Does the k-th number of your permutation belong to atom k of x, or of y?",
    kind="convention",
)
def align_inverse_permutation(ref, x, y):
    moved_x, match = laid_over(ref, x, y)
    return moved_x, match.argsort()


@mistake(
    of="align",
    checks=("align/align",),
    title="x in the order of y",
    hint="Which atom of x does the first row of your cloud hold?",
    kind="convention",
)
def align_reordered(ref, x, y):
    moved_x, match = laid_over(ref, x, y)
    return moved_x[match.argsort()], match


@mistake(
    of="align",
    checks=("align/align",),
    title="matched, but not turned",
    hint="Can a rotation bring your clouds nearer to each other?",
)
def align_without_rotation(ref, x, y):
    from scipy.optimize import linear_sum_assignment

    moved_x = x - x.mean(0) + y.mean(0)
    match = linear_sum_assignment(torch.cdist(moved_x, y).square().numpy())[1]
    return moved_x, torch.from_numpy(match)


@mistake(
    of="align",
    checks=("align/align",),
    title="turned, but not matched",
    hint="Does your result change when the atoms of y come in another order?",
)
def align_without_matching(ref, x, y):
    centre = x - x.mean(0)
    return centre @ rotation_between(ref, centre, y - y.mean(0)).T + y.mean(0), torch.arange(len(x))


@mistake(
    of="align",
    checks=("align/align",),
    title="the cloud is not moved",
    hint="Where is the centre of your cloud, and where that of y?",
)
def align_not_moved(ref, x, y):
    moved_x, match = laid_over(ref, x, y)
    return moved_x - y.mean(0) + x.mean(0), match
