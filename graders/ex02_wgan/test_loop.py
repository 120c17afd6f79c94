"""Part 2.6: the order of the training steps, and what they are fed with, on networks that note all that happens."""

import torch
from wgan_oracles import run_either

from gdgrade.checks import check, mean_z, observe, require, variance_chi2

ITERATIONS, CRITIC_STEPS, BATCH, DZ = 3, 4, 8, 3


@check("2.6", points=0.5)
def test_order_of_steps(student, draw):
    """Each iteration trains the critic n_critic times, 5 if left out, and then the generator once."""
    for n_critic in (CRITIC_STEPS, None):
        watched = Watched(student, draw, n_critic=n_critic)
        observe(f"updates, n_critic {n_critic}", watched.events)
        due = ("C" * (n_critic or 5) + "G") * ITERATIONS
        came = " ".join(watched.events[:30]) or "none"
        given = f"n_critic = {n_critic}" if n_critic else "n_critic left out"
        require(
            watched.events == due,
            f"with {given} and n_iterations = {ITERATIONS} the networks were updated in the order {came} "
            "(C: critic, G: generator)",
        )


@check("2.6", points=0.5)
def test_fresh_batches(student, draw):
    """Every step of the critic sees batch_size points of data that it has not had from this function before."""
    watched = Watched(student, draw)
    steps = watched.rows_by_step()
    seen = [len(rows) for rows in steps]
    together = len(set().union(*steps)) if steps else 0
    observe("rows of data per step", seen)
    observe("different rows of data", together)
    require(sum(seen) > 0, "the critic never saw a batch of the data")
    require(min(seen) > 0, f"{seen.count(0)} of {len(seen)} updates of the critic came without new data")
    few = f"in its {len(seen)} steps the critic saw {seen} different points of the data (batch_size is {BATCH})"
    require(all(count == BATCH for count in seen), few)
    require(together == BATCH * len(seen), f"{few}, but {together} different ones in all")


@check("2.6", points=0.25, visibility="hidden")
def test_data_as_tensor(student, draw):
    """When the data come as a tensor, batches come from all of it."""
    watched = Watched(student, draw, as_tensor=True, iterations=10)
    steps = watched.rows_by_step()
    together = len(set().union(*steps)) if steps else 0
    share = together / len(watched.data)
    observe("share of the data seen", round(share, 1))
    # 40 batches of 8 from 100 points: random ones miss 4 % of the points, and 30 % with probability below 1e-20
    require(share > 0.7, f"in {len(steps)} steps the critic saw {together} of {len(watched.data)} points of the data")


@check("2.6", points=0.5, visibility="hidden", alpha=1e-7)
def test_noise(student, draw):
    """The generator is fed with dz coordinates of fresh standard normal noise in every step."""
    watched = Watched(student, draw, iterations=12)
    noise = watched.noise
    fresh, due = len(noise.unique(dim=0)), 12 * (CRITIC_STEPS + 1) * BATCH
    observe("share of fresh noise", round(min(fresh / due, 1.0), 2))
    used = (
        f"{due // BATCH} steps of critic and generator with batch_size = {BATCH} used {fresh} different noise vectors"
    )
    require(fresh >= due, used)
    noise = noise.unique(dim=0)
    observe("mean of the noise", round(float(noise.mean()), 1))
    observe("variance of the noise", round(float(noise.var()), 1))
    require(standard_normal(noise), "the noise for the generator is not standard normal")
    own = watched.noise_of_generator_steps()
    require(standard_normal(own), "the noise for the generator's own steps is not standard normal")


@check("2.6", points=0.25, visibility="hidden")
def test_settings(student):
    """The optimiser, its step size and the weight of the penalty are those that were asked for."""
    # Data are all at (3, 0), fake data stay near 0, the critic is linear: its slope settles where the pull of the gap,
    # 3, meets that of the penalty, 2 lambda (slope - 1).
    for lambda_ in (100.0, 1.0):
        slope, _, _ = run_either(student, ["train_wgan_gp"], slope_of_linear_critic, lambda_, 0.05, 60)
        due = 1 + 3 / (2 * lambda_)
        observe(f"slope over the right one, lambda {lambda_:g}", round(float(slope) / due, 1))
        require(
            abs(float(slope) / due - 1) < 0.1,
            f"with lambda_ = {lambda_:g} the critic of a simple problem settles at the slope {float(slope):.3g}",
        )
    for lr, due in ((0.01, 0.01), (0.001, 0.001), (None, 5e-4)):
        _, move, _ = run_either(student, ["train_wgan_gp"], slope_of_linear_critic, 1.0, lr, 1)
        observe(f"first move over lr, {lr}", round(float(move) / due, 1))
        given = f"lr = {lr:g}" if lr else "lr left out"
        require(
            0.75 * due < float(move) < 1.5 * due,  # Adam's first step is lr, and its own default twice 5e-4
            f"with {given} the first step of Adam moves a parameter by {float(move):.3g}",
        )
    _, _, came = run_either(student, ["train_wgan_gp"], slope_of_linear_critic, 1.0, 0.05, 20)
    astray = came.double() - after_adam(1.0, 0.05, 20)
    away = float(astray.norm())
    observe("distance from where Adam leads", round(away, 2))
    observe("in which direction", [round(20 * float(entry)) for entry in astray])
    # drawn numbers move the critic by 1e-3; beta = (0.5, 0.999) leads 0.029 astray, the default betas 0.19, an
    # optimiser that forgets between iterations 0.07
    require(
        away < 0.014,
        f"20 steps of the critic end {away:.2g} away from where one Adam with beta = (0.5, 0.9), kept from step to "
        "step, leads",
    )
    slope, _, _ = run_either(student, ["train_wgan_gp"], slope_of_linear_critic, None, 0.05, 60)
    # 60 steps are within 1e-6 of 1.15 with 10, and at 1.075 with 20 and 1.3 with 5
    observe("slope over the right one, lambda left out", round(float(slope) / 1.15, 1))
    require(
        abs(float(slope) / 1.15 - 1) < 0.03,
        f"without lambda_, which is 10 then, the critic of a simple problem settles at the slope {float(slope):.3g}",
    )


# ---- what the checks know by themselves


def standard_normal(noise):
    """Whether mean and variance of the numbers are 0 and 1; without any, nothing speaks against it."""
    tests = [mean_z(noise.flatten(), 0.0, 1.0), variance_chi2(noise.flatten(), 1.0)] if len(noise) else []
    return all(test.pvalue > 2.5e-8 for test in tests)


def after_adam(lambda_, lr, steps):
    """The slope of `slope_of_linear_critic` after some steps of Adam, if fake data are all at 0."""
    slope = torch.tensor([0.6, 0.5], dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([slope], lr=lr, betas=(0.5, 0.9))
    with torch.enable_grad():
        for _ in range(steps):
            adam.zero_grad()
            (lambda_ * (slope.norm() - 1) ** 2 - 3 * slope[0]).backward()
            adam.step()
    return slope.detach()


class Watched:
    """What `train_wgan_gp` did with two networks that take notes.

    Attributes:
        events: "C" and "G" for every update of critic and generator, in order.
        noise: all rows the generator was fed with, (N, DZ).
        data: all rows of data that were given out, (M, 2), no two equal.
    """

    def __init__(self, student, draw, as_tensor=False, iterations=ITERATIONS, n_critic=CRITIC_STEPS):
        self.data = draw.normal(100 if as_tensor else (iterations + 1) * (CRITIC_STEPS + 2) * 2 * BATCH, 2)
        settings = iterations, BATCH, DZ, n_critic
        events, critic_rows, steps, noise, self._fed = run_either(
            student, ["train_wgan_gp"], watched_training, self.data, as_tensor, draw.seed % 2**31, *settings
        )
        self.events = str(events)
        self.noise = noise.double()
        self._rows, self._steps = critic_rows.double(), steps

    def noise_of_generator_steps(self):
        """The rows that the generator was fed with when the next update was its own, each once, (N, DZ).

        A step may ask twice about the same noise, and a loop may look at its samples for fixed noise now and then:
        counted again and again, such rows would make chance look like a fault.
        """
        own = [step < len(self.events) and self.events[step] == "G" for step in self._fed.tolist()]
        return self.noise[torch.tensor(own, dtype=torch.bool)].unique(dim=0)

    def rows_by_step(self):
        """The numbers of the data rows that the critic saw before each of its updates, a set per update."""
        near = torch.cdist(self._rows, self.data.to(self._rows))
        distance, row = near.min(dim=1)
        found = [set() for _ in range(self.events.count("C"))]
        for step, number, far in zip(self._steps.tolist(), row.tolist(), distance.tolist(), strict=True):
            if far < 1e-6 and step < len(found):
                found[step].add(number)
        return found


def watched_training(module, data, as_tensor, seed, iterations, batch, dz, n_critic):
    """Train two small networks that take notes; n_critic None: not given. Runs in the worker.

    Returns:
        the updates as text; the rows the critic was asked about, (N, 2), and the number of its updates before each,
        (N,); the rows the generator was fed with, (M, dz), and the number of all updates before each, (M,).
    """
    import torch
    from torch import nn

    torch.manual_seed(seed)
    events, rows, steps, noise, fed, given = [], [], [], [], [], [0]

    class Noting(nn.Module):
        def __init__(self, letter, width_in, width_out):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(width_in, 5), nn.Tanh(), nn.Linear(5, width_out))
            self.letter, self.seen = letter, None

        def look(self):
            now = torch.cat([value.detach().reshape(-1) for value in self.parameters()]).double()
            # a step of Adam is about lr = 0.01; a change of type to float32 and back moves weights by 1e-7
            if self.seen is not None and (now - self.seen).abs().max() > 1e-5:
                events.append(self.letter)
            self.seen = now.clone()

        def forward(self, x):
            if torch._C._functorch.is_functorch_wrapped_tensor(x):  # inside a transform there is nothing to be seen
                return self.net(x)
            critic.look()
            generator.look()
            if self.letter == "C":
                rows.append(x.detach().reshape(-1, 2).clone())
                steps.extend([events.count("C")] * len(rows[-1]))
            else:
                noise.append(x.detach().reshape(-1, dz).clone())
                fed.extend([len(events)] * len(noise[-1]))
            return self.net(x)

    def batches(n):
        start, given[0] = given[0], given[0] + n
        return data[torch.arange(start, start + n) % len(data)]

    critic, generator = Noting("C", 2, 1), Noting("G", dz, 2)
    critic.look()
    generator.look()
    module.train_wgan_gp(
        critic,
        generator,
        data if as_tensor else batches,
        n_iterations=iterations,
        batch_size=batch,
        dz=dz,
        lr=0.01,
        **({} if n_critic is None else {"n_critic": n_critic}),
    )
    critic.look()
    generator.look()
    asked = torch.cat(rows) if rows else torch.empty(0, 2)
    noises = torch.cat(noise) if noise else torch.empty(0, dz)
    steps, fed = (torch.tensor(numbers, dtype=torch.int64) for numbers in (steps, fed))
    return "".join(events), asked, steps, noises, fed


def slope_of_linear_critic(module, lambda_, lr, iterations):
    """Norm of a linear critic's slope after training against fake data that hardly move. Runs in the worker.

    lambda_, lr None: not given.

    Returns:
        the norm, the largest change of any entry of the slope, and the slope, (2,).
    """
    import torch
    from torch import nn

    torch.manual_seed(0)
    critic = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        critic.weight.copy_(torch.tensor([[0.6, 0.5]]))
    before = critic.weight.detach().clone()

    class Faint(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(2, 2))

        def forward(self, z):
            return 1e-4 * z @ self.weight

    data = torch.tensor([[3.0, 0.0]]).repeat(64, 1)
    module.train_wgan_gp(
        critic,
        Faint(),
        data,
        n_iterations=iterations,
        batch_size=4,
        n_critic=1,
        **{name: value for name, value in (("lambda_", lambda_), ("lr", lr)) if value is not None},
    )
    return critic.weight.detach().norm(), (critic.weight.detach() - before).abs().max(), critic.weight.detach()[0]
