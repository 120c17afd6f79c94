# right: classes behind the functions, extra parameters, a named tuple and a dict-like result, prints and warnings

import sys
import warnings
from collections import UserDict
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.functional import logsigmoid


class Losses:
    """All signs in one place."""

    @staticmethod
    def real(logits):
        return -logsigmoid(logits).mean()

    @staticmethod
    def fake(logits):
        return -logsigmoid(-logits).mean()


def discriminator_loss(d_real, d_fake, weight=1.0, *, verbose=True):
    if verbose:
        print("logits", d_real.mean().item(), d_fake.mean().item())
    return weight * (Losses.real(d_real) + Losses.fake(d_fake))


def generator_loss_ns(d_fake):
    warnings.warn("the non-saturating loss is used", stacklevel=2)
    return Losses.real(d_fake)


def generator_loss_saturating(d_fake):
    return -Losses.fake(d_fake)


def critic_loss(c_real, c_fake):
    return torch.stack([-c_real.mean(), c_fake.mean()]).sum()


def generator_loss_w(c_fake):
    return (-1.0 * c_fake).mean()


class Penalty:
    def __init__(self, lambda_, eps=1e-12):
        self.lambda_, self.eps = lambda_, eps

    def __call__(self, critic, points):
        points.requires_grad_(True)
        values = critic(points)
        (slopes,) = torch.autograd.grad([values], [points], [torch.ones_like(values)], create_graph=True)
        axes = tuple(range(1, slopes.dim()))
        return self.lambda_ * torch.mean((torch.sqrt(slopes.pow(2).sum(axes) + self.eps) - 1) ** 2)


def gradient_penalty(critic, real, fake, alpha=None, lambda_=10.0, eps=1e-12):
    if alpha is None:
        alpha = torch.from_numpy(np.random.rand(len(real), *[1] * (real.dim() - 1))).to(real.dtype)
    points = fake.detach() + alpha * (real.detach() - fake.detach())
    return Penalty(lambda_, eps)(critic, points)


class Losses2(NamedTuple):
    gap: float
    penalty: float


class Trainer:
    def __init__(self, critic, generator, oc=None, og=None):
        self.critic, self.generator, self.oc, self.og = critic, generator, oc, og

    def critic_step(self, real, z, alpha, lambda_):
        with torch.inference_mode():
            fake = self.generator(z)
        fake = fake.clone()
        for p in self.critic.parameters():
            p.grad = None
        gap = critic_loss(self.critic(real), self.critic(fake))
        penalty = gradient_penalty(self.critic, real, fake, alpha, lambda_)
        torch.autograd.backward([gap, penalty])
        self.oc.step()
        return Losses2(gap.item(), penalty.item())

    def generator_step(self, z):
        for p in [*self.generator.parameters(), *self.critic.parameters()]:
            p.grad = None
        generator_loss_w(self.critic(self.generator(z))).backward()
        self.og.step()


def critic_step(critic, generator, opt_critic, real, z, alpha=None, lambda_=10.0):
    return Trainer(critic, generator, oc=opt_critic).critic_step(real, z, alpha, lambda_)


def generator_step(critic, generator, opt_generator, z):
    sys.stderr.write("step\n")
    return Trainer(critic, generator, og=opt_generator).generator_step(z)


class Statistics(UserDict):
    pass


def mode_statistics(x, centres, sigma, k=3.0, base=np.e):
    x, centres = x.numpy(), centres.numpy()
    d = np.linalg.norm(x[:, None] - centres[None], axis=-1)
    counts = np.bincount(d.argmin(1), minlength=len(centres))
    p = counts[counts > 0] / counts.sum()
    return Statistics(
        reverse_kl=np.float64((p * (np.log(p) + np.log(len(centres)))).sum()) / np.log(base),
        counts=counts.tolist(),
        high_quality=np.float32((d.min(1) <= k * sigma).mean()),
        modes=int((counts > 0).sum()),
    )


def train_wgan_gp(
    critic, generator, data, n_iterations=1000, batch_size=256, dz=2, n_critic=5, lambda_=10.0, lr=5e-4, betas=(0.5, 0.9)
):
    trainer = Trainer(
        critic,
        generator,
        torch.optim.Adam(critic.parameters(), lr=lr, betas=betas, foreach=False),
        torch.optim.Adam(generator.parameters(), lr=lr, betas=betas),
    )
    normal = torch.distributions.Normal(0.0, 1.0)
    history = []
    for i in range(n_iterations):
        for _ in range(n_critic):
            real = data(batch_size) if callable(data) else data[np.random.randint(len(data), size=batch_size)]
            history.append(trainer.critic_step(real, normal.sample((batch_size, dz)).to(real.dtype), None, lambda_))
        trainer.generator_step(normal.sample((batch_size, dz)).to(real.dtype))
        print(f"\r{i}/{n_iterations} {history[-1]}", end="")
    return history


def discriminator_loss_smooth(d_real, d_fake, real_label=0.9):
    y = torch.full_like(d_real, real_label)
    return nn.BCEWithLogitsLoss()(d_real, y) + Losses.fake(d_fake)


def clip_weights(critic, c=0.01):
    for module in critic.modules():
        for p in module.parameters(recurse=False):
            p.data = torch.max(torch.min(p.data, torch.tensor(c, dtype=p.dtype)), torch.tensor(-c, dtype=p.dtype))
    return critic


def image_networks(dz=32, hidden=200):
    generator = nn.Sequential(nn.Linear(dz, hidden), nn.SELU(), nn.Linear(hidden, 784), nn.Hardsigmoid())
    critic = nn.Sequential(nn.Linear(784, hidden), nn.SiLU(), nn.Linear(hidden, 1, bias=False))
    return generator, critic
