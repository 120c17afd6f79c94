"""Part 2.4: one step of the critic and one of the generator, with plain gradient descent as the optimiser."""

import torch
from wgan_oracles import run_either

from gdgrade.checks import check, close, require

RATE = 0.05


@check("2.4", points=1)
def test_critic_step(student, draw):
    """A step of the critic moves its parameters down the gradient of its loss plus the penalty."""
    for lambda_ in (10.0, 0.3):
        problem = Problem(draw, steps=1, lambda_=lambda_)
        (got,) = problem.states(student, ["critic"])
        (due,) = problem.expected(["critic"])
        problem.compare(got[0], due[0], "the critic's parameters after one step")


@check("2.4", points=0.75)
def test_generator_step(student, draw):
    """A step of the generator moves its parameters down the gradient of its loss, through the critic."""
    problem = Problem(draw, steps=1)
    (got,) = problem.states(student, ["generator"])
    (due,) = problem.expected(["generator"])
    problem.compare(got[1], due[1], "the generator's parameters after one step")


@check("2.4", points=0.75)
def test_steps_in_turn(student, draw):
    """When the two take turns, no gradient of an earlier step enters a later one."""
    order = ["critic", "critic", "generator", "generator", "critic"]
    problem = Problem(draw, steps=len(order))
    got, due = problem.states(student, order), problem.expected(order)
    for number, (one, other) in enumerate(zip(got, due, strict=True), start=1):
        taken = "".join(who[0].upper() for who in order[:number])
        done = f"the steps {taken} (C: critic, G: generator)" if number > 1 else f"the first step, the {order[0]}'s"
        for who, mine, right in zip(("critic", "generator"), one, other, strict=True):
            problem.compare(mine, right, f"the {who}'s parameters after {done}")


@check("2.4", points=0.5, visibility="hidden")
def test_only_one_network_moves(student, draw):
    """A step of one network leaves the other, the data and the noise as they are, and no network in evaluation mode."""
    problem = Problem(draw, steps=2)
    first, second = problem.states(student, ["critic", "generator"])
    problem.compare(first[1], flat(problem.generator), "the generator's parameters after a step of the critic")
    problem.compare(second[0], first[0].double(), "the critic's parameters after a step of the generator")
    for before, after in zip(problem.inputs(), problem.after, strict=True):
        require(torch.equal(before.to(after), after), "a step changes its data, its noise or its alpha in place")
    for who, trains in zip(("critic", "generator"), problem.in_training, strict=True):
        require(
            trains, f"after its own step the {who} is in evaluation mode: dropout and batch norm would stop working"
        )


class Problem:
    """Two small networks, and the data, noise and alpha of every step.

    Args:
        steps: how many steps will be made.
        lambda_: weight of the penalty.
    """

    def __init__(self, draw, steps, lambda_=10.0):
        self.critic = [draw.normal(4, 2), draw.normal(4), draw.normal(1, 4), draw.normal(1)]
        self.generator = [draw.normal(4, 3), draw.normal(4), draw.normal(2, 4), draw.normal(2)]
        self.real, self.noise = draw.normal(steps, 6, 2, mean=1.0), draw.normal(steps, 6, 3)
        self.alpha, self.lambda_ = draw.uniform(steps, 6, 1), lambda_
        self.after, self.in_training = [], []

    def inputs(self):
        return [self.real, self.noise, self.alpha]

    def states(self, student, order):
        """[(critic, generator)] as flat vectors after every step of the student's."""
        uses = [f"{who}_step" for who in order]
        arguments = order, self.critic, self.generator, *self.inputs(), self.lambda_, RATE
        states, self.after, self.in_training = run_either(student, uses, states_of_steps, *arguments)
        return states

    def expected(self, order):
        """The same by the judge's own formulas."""
        critic, generator = self.critic, self.generator
        states = []
        for step, who in enumerate(order):
            inputs = self.real[step], self.noise[step], self.alpha[step], self.lambda_
            moving = critic if who == "critic" else generator
            leaves = [value.detach().clone().requires_grad_(True) for value in moving]
            if who == "critic":
                loss = loss_of_critic(leaves, generator, *inputs)
            else:
                loss = -network(critic, network(leaves, self.noise[step])).mean()
            slopes = torch.autograd.grad(loss, leaves, allow_unused=True)  # a last bias cancels from the critic's loss
            moved = [
                value if slope is None else value - RATE * slope for value, slope in zip(moving, slopes, strict=True)
            ]
            critic, generator = (moved, generator) if who == "critic" else (critic, moved)
            states.append((flat(critic), flat(generator)))
        return states

    def compare(self, got, due, name):
        close(got, due, name, rtol=1e-4 if got.dtype == torch.float32 else 1e-6)


# ---- what the checks know by themselves


def network(parameters, x):
    """A layer of tanh between two affine maps."""
    first, bias, second, last = parameters
    return torch.tanh(x @ first.T + bias) @ second.T + last


def loss_of_critic(critic, generator, real, noise, alpha, lambda_):
    """Minus the gap, plus the penalty with the slope of `network` written out."""
    fake = network(generator, noise)
    first, bias, second, _ = critic
    hidden = torch.tanh((fake + alpha * (real - fake)) @ first.T + bias)
    slopes = ((1 - hidden.square()) * second) @ first  # (B, d)
    penalty = ((slopes.square().sum(1).sqrt() - 1) ** 2).mean()
    return network(critic, fake).mean() - network(critic, real).mean() + lambda_ * penalty


def flat(parameters):
    """All parameters in one vector."""
    return torch.cat([value.detach().reshape(-1) for value in parameters])


def states_of_steps(module, order, critic, generator, real, noise, alpha, lambda_, rate):
    """Make the steps in this order. Runs in the worker.

    Returns:
        parameters after each step; the inputs as they are then; for each step, whether the network that moved is in
        training mode after it (another step may put it there first).
    """
    import torch
    from torch import nn

    def built(values):
        layers = nn.Linear(values[0].shape[1], 4), nn.Tanh(), nn.Linear(4, values[2].shape[0])
        net = nn.Sequential(*layers).to(values[0].dtype)
        with torch.no_grad():
            for parameter, value in zip(net.parameters(), values, strict=True):
                parameter.copy_(value)
        return net

    f, g = built(critic), built(generator)
    down = {name: torch.optim.SGD(net.parameters(), lr=rate) for name, net in (("critic", f), ("generator", g))}
    states, in_training = [], []
    for step, who in enumerate(order):
        if who == "critic":
            module.critic_step(f, g, down[who], real[step], noise[step], alpha[step], lambda_)
        else:
            module.generator_step(f, g, down[who], noise[step])
        states.append([torch.cat([value.detach().reshape(-1) for value in net.parameters()]).clone() for net in (f, g)])
        in_training.append(all(part.training for part in (f if who == "critic" else g).modules()))
    return states, [real, noise, alpha], in_training
