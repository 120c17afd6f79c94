"""Known wrong steps and training loops (parts 2.4 and 2.6), as overrides of the reference."""

import torch

from gdgrade.mistakes import mistake

STEPS = ("steps/",)
# each only where it is plain: two that feed the networks with less may look alike to another check
ORDER, BATCHES, NOISE, SETTINGS = ("loop/order",), ("loop/fresh", "loop/data"), ("loop/noise",), ("loop/settings",)


# ---- 2.4 steps


def step_of_critic(ref, critic, generator, opt_critic, real, z, alpha, lambda_, gap_sign=1, penalty=1.0, clear=True):
    """The reference's step with its terms weighted."""
    fake = generator(z).detach()
    loss = gap_sign * ref.critic_loss(critic(real), critic(fake))
    loss = loss + penalty * ref.gradient_penalty(critic, real, fake, alpha, lambda_)
    if clear:
        opt_critic.zero_grad()
    loss.backward()
    opt_critic.step()


@mistake(
    of="critic_step",
    title="the gap is closed instead of widened",
    hint="After one step, does your critic tell real from fake better or worse than before?",
    checks=STEPS,
)
def critic_step_uphill(ref, critic, generator, opt_critic, real, z, alpha=None, lambda_=10.0):
    step_of_critic(ref, critic, generator, opt_critic, real, z, alpha, lambda_, gap_sign=-1)


@mistake(
    of="critic_step",
    title="the penalty is left out",
    hint="Does the step of your critic change when lambda_ does?",
    checks=STEPS,
)
def critic_step_without_penalty(ref, critic, generator, opt_critic, real, z, alpha=None, lambda_=10.0):
    step_of_critic(ref, critic, generator, opt_critic, real, z, alpha, lambda_, penalty=0.0)


@mistake(
    of="critic_step",
    title="the penalty is subtracted",
    hint="Is a critic with slopes far from 1 rewarded or fined in your step?",
    checks=STEPS,
)
def critic_step_penalty_subtracted(ref, critic, generator, opt_critic, real, z, alpha=None, lambda_=10.0):
    step_of_critic(ref, critic, generator, opt_critic, real, z, alpha, lambda_, penalty=-1.0)


@mistake(
    of="critic_step",
    title="lambda multiplies a penalty that contains it already",
    hint="How does your penalty grow when lambda_ is doubled?",
    checks=STEPS,
)
def critic_step_lambda_twice(ref, critic, generator, opt_critic, real, z, alpha=None, lambda_=10.0):
    step_of_critic(ref, critic, generator, opt_critic, real, z, alpha, lambda_, penalty=lambda_)


@mistake(
    of="critic_step",
    title="lambda_ is not handed on",
    hint="Does the step of your critic change when lambda_ does?",
    checks=STEPS,
)
def critic_step_lambda_ignored(ref, critic, generator, opt_critic, real, z, alpha=None, lambda_=10.0):
    step_of_critic(ref, critic, generator, opt_critic, real, z, alpha, 10.0)


@mistake(
    of="critic_step",
    title="gradients of earlier steps are added to this one",
    hint="Whose gradient buffers are not zero when the critic's optimiser steps, and who filled them?",
    checks=STEPS,
)
def critic_step_without_zero_grad(ref, critic, generator, opt_critic, real, z, alpha=None, lambda_=10.0):
    step_of_critic(ref, critic, generator, opt_critic, real, z, alpha, lambda_, clear=False)


@mistake(
    of="critic_step",
    title="the critic does not move: the gradients are cleared between backward and step, say",
    hint="Which gradient does your optimiser find when it steps?",
    checks=STEPS,
)
def critic_step_stands_still(ref, critic, generator, opt_critic, real, z, alpha=None, lambda_=10.0):
    pass


@mistake(
    of="critic_step",
    title="two steps of the optimiser",
    hint="How often does your step ask the optimiser to move?",
    checks=STEPS,
)
def critic_step_twice(ref, critic, generator, opt_critic, real, z, alpha=None, lambda_=10.0):
    step_of_critic(ref, critic, generator, opt_critic, real, z, alpha, lambda_)
    step_of_critic(ref, critic, generator, opt_critic, real, z, alpha, lambda_)


@mistake(
    of="generator_step",
    title="the fake batch is detached",
    hint="Where does the generator's gradient come from, and does it get through?",
    checks=STEPS,
)
def generator_step_detached(ref, critic, generator, opt_generator, z):
    opt_generator.zero_grad()
    ref.generator_loss_w(critic(generator(z).detach())).backward()
    opt_generator.step()


@mistake(
    of="generator_step",
    title="the generator walks towards low values of the critic",
    hint="The critic gives high values to real data. After your step, are the values of fake data higher or lower?",
    checks=STEPS,
)
def generator_step_uphill(ref, critic, generator, opt_generator, z):
    opt_generator.zero_grad()
    (-ref.generator_loss_w(critic(generator(z)))).backward()
    opt_generator.step()


@mistake(
    of="generator_step",
    title="gradients of earlier steps are added to this one",
    hint="Whose gradient buffers are not zero when the generator's optimiser steps, and who filled them?",
    checks=STEPS,
)
def generator_step_without_zero_grad(ref, critic, generator, opt_generator, z):
    ref.generator_loss_w(critic(generator(z))).backward()
    opt_generator.step()


@mistake(
    of="generator_step",
    title="the loss of the GAN's generator",
    hint="Which loss does a generator have whose opponent is a critic?",
    checks=STEPS,
)
def generator_step_cross_entropy(ref, critic, generator, opt_generator, z):
    opt_generator.zero_grad()
    ref.generator_loss_ns(critic(generator(z))).backward()
    opt_generator.step()


# ---- 2.6 loop


def loop(ref, critic, generator, data, n_iterations, batch_size, dz, n_critic, lambda_, lr, **change):
    """The training loop with one thing changed.

    Args:
        change: plan (letters of an iteration), every (how long a batch is kept), noise(), penalty, rate, betas,
            forgets (new optimisers in every iteration), one_noise (the generator gets the critic's last).
    """
    rate, lambda_ = change.get("rate", lr), change.get("penalty", lambda_)

    def optimisers():
        betas = change.get("betas", (0.5, 0.9))
        return (torch.optim.Adam(net.parameters(), lr=rate, betas=betas) for net in (critic, generator))

    opt_critic, opt_generator = optimisers()

    def batch():
        return data(batch_size) if callable(data) else data[torch.randint(len(data), (batch_size,))]

    noise = change.get("noise", lambda: torch.randn(batch_size, dz))
    every = change.get("every", "step")
    kept = batch()
    for _ in range(n_iterations):
        if every == "iteration":
            kept = batch()
        if change.get("forgets"):
            opt_critic, opt_generator = optimisers()
        for letter in change.get("plan", "C" * n_critic + "G"):
            if letter == "C" or not change.get("one_noise"):
                z = noise()
            if letter == "G":
                ref.generator_step(critic, generator, opt_generator, z)
            else:
                real = batch() if every == "step" else kept
                ref.critic_step(critic, generator, opt_critic, real, z, lambda_=lambda_)


def changed_loop(change):
    """train_wgan_gp with the settings that `change(batch_size, dz, n_critic, n_iterations)` returns."""

    def train(ref, critic, generator, data, n_iterations=1000, batch_size=256, dz=2, n_critic=5, lambda_=10.0, lr=5e-4):
        settings = change(batch_size, dz, n_critic, n_iterations)
        n_iterations = settings.pop("iterations", n_iterations)
        loop(ref, critic, generator, data, n_iterations, batch_size, dz, n_critic, lambda_, lr, **settings)

    return train


def loop_mistake(name, title, hint, change, checks=ORDER, seen_by="exact"):
    """Declare a changed loop under `name`."""
    train = changed_loop(change)
    train.__name__ = name
    globals()[name] = mistake(of="train_wgan_gp", title=title, hint=hint, checks=checks, seen_by=seen_by)(train)


loop_mistake(
    "loop_n_critic_inverted",
    "one critic step and n_critic generator steps",
    "Which of the two players must be near its optimum before the other may trust it?",
    lambda batch, dz, n_critic, iterations: {"plan": "C" + "G" * n_critic},
)
loop_mistake(
    "loop_generator_first",
    "the generator steps before the critic",
    "In the first iteration, what does the generator learn from a critic that has seen nothing yet?",
    lambda batch, dz, n_critic, iterations: {"plan": "G" + "C" * n_critic},
)
loop_mistake(
    "loop_turn_by_turn",
    "n_critic has no effect: both step in turn",
    "How many critic steps does your loop make for n_critic = 4?",
    lambda batch, dz, n_critic, iterations: {"plan": "CG"},
)
loop_mistake(
    "loop_generator_after_every_critic_step",
    "the generator steps after every critic step",
    "How many generator steps does your loop make in one iteration?",
    lambda batch, dz, n_critic, iterations: {"plan": "CG" * n_critic},
)
loop_mistake(
    "loop_counts_critic_steps",
    "n_iterations counts critic steps",
    "How many generator steps does your loop make in all, and how many are asked for?",
    lambda batch, dz, n_critic, iterations: {"iterations": max(1, iterations // n_critic)},
)
loop_mistake(
    "loop_one_batch",
    "one batch of data for the whole training",
    "How many different points of the data does your critic see in the whole training?",
    lambda batch, dz, n_critic, iterations: {"every": "training"},
    BATCHES,
)
loop_mistake(
    "loop_one_batch_per_iteration",
    "one batch of data for all critic steps of an iteration",
    "Do two critic steps of the same iteration see different data in your loop?",
    lambda batch, dz, n_critic, iterations: {"every": "iteration"},
    BATCHES[:1],
)
loop_mistake(
    "loop_noise_uniform",
    "noise uniform in [0, 1)",
    "Which law does z have in the statement, and which mean and variance does yours have?",
    lambda batch, dz, n_critic, iterations: {"noise": lambda: torch.rand(batch, dz)},
    NOISE,
    seen_by="chance",
)
loop_mistake(
    "loop_noise_uniform_centred",
    "noise uniform in [-1, 1)",
    "Which law does z have in the statement, and which mean and variance does yours have?",
    lambda batch, dz, n_critic, iterations: {"noise": lambda: 2 * torch.rand(batch, dz) - 1},
    NOISE,
    seen_by="chance",
)


@mistake(
    of="train_wgan_gp",
    title="the same noise in every step",
    hint="How many different samples can your generator make in the whole training?",
    checks=NOISE,
    seen_by="chance",
)
def loop_noise_fixed(
    ref, critic, generator, data, n_iterations=1000, batch_size=256, dz=2, n_critic=5, lambda_=10.0, lr=5e-4
):
    z = torch.randn(batch_size, dz)
    loop(ref, critic, generator, data, n_iterations, batch_size, dz, n_critic, lambda_, lr, noise=lambda: z)


loop_mistake(
    "loop_lr_ignored",
    "lr has no effect",
    "How far does a parameter move in the first step of Adam, and does that depend on lr in your loop?",
    lambda batch, dz, n_critic, iterations: {"rate": 5e-4},
    SETTINGS,
)
loop_mistake(
    "loop_lambda_ignored",
    "lambda_ has no effect",
    "Where does the argument lambda_ of your loop go?",
    lambda batch, dz, n_critic, iterations: {"penalty": 10.0},
    SETTINGS,
)
loop_mistake(
    "loop_default_betas",
    "Adam with its default betas, (0.9, 0.999)",
    "Which two numbers does the statement give for Adam, and where do they go in your loop?",
    lambda batch, dz, n_critic, iterations: {"betas": (0.9, 0.999)},
    SETTINGS,
)
loop_mistake(
    "loop_forgetful_optimiser",
    "new optimisers in every iteration",
    "Adam keeps averages of past gradients. How long do yours live?",
    lambda batch, dz, n_critic, iterations: {"forgets": True},
    SETTINGS,
)
loop_mistake(
    "loop_noise_of_the_critic",
    "the generator gets the noise of the critic's last step",
    "In one iteration, how many batches of noise does your loop draw, and how many steps are there?",
    lambda batch, dz, n_critic, iterations: {"one_noise": True},
    NOISE,
    seen_by="chance",
)
