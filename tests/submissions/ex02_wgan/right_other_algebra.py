# right: no ready-made loss, every formula written out in another form

import math

import torch
from torch import nn


def minus_log_sigmoid(x):
    return torch.clamp(-x, min=0) + torch.log1p(torch.exp(-x.abs()))


def discriminator_loss(d_real, d_fake):
    return minus_log_sigmoid(d_real).sum() / d_real.numel() + minus_log_sigmoid(-d_fake).sum() / d_fake.numel()


def generator_loss_ns(d_fake):
    return torch.logaddexp(torch.zeros_like(d_fake), -d_fake).mean()


def generator_loss_saturating(d_fake):
    # log(1 - sigmoid(l)) = log sigmoid(l) - l
    return (-minus_log_sigmoid(d_fake) - d_fake).mean()


def critic_loss(c_real, c_fake):
    return -(c_real.sum() / len(c_real) - c_fake.sum() / len(c_fake))


def generator_loss_w(c_fake):
    return c_fake.neg().mean()


def gradient_penalty(critic, real, fake, alpha=None, lambda_=10.0):
    if alpha is None:
        alpha = torch.empty((len(real),) + (1,) * (real.ndim - 1), dtype=real.dtype).uniform_()
    x = torch.lerp(fake.detach(), real.detach(), alpha.expand_as(real)).requires_grad_()
    value = critic(x)
    value.sum()
    g = torch.autograd.grad(-value.sum(), x, create_graph=True)[0]  # the sign does not matter for the norm
    square = torch.einsum("bi,bi->b", g.flatten(1), g.flatten(1))
    # (n - 1)^2 = n^2 - 2 n + 1
    return lambda_ * (square - 2 * square.sqrt() + 1).mean()


def critic_step(critic, generator, opt_critic, real, z, alpha=None, lambda_=10.0):
    fake = generator(z).data
    opt_critic.zero_grad(set_to_none=False)
    (critic(fake).mean() - critic(real).mean()).backward()
    gradient_penalty(critic, real, fake, alpha, lambda_).backward()
    opt_critic.step()


def generator_step(critic, generator, opt_generator, z):
    parameters = list(generator.parameters())
    grads = torch.autograd.grad(-critic(generator(z)).mean(), parameters)
    for p, g in zip(parameters, grads):
        p.grad = g
    opt_generator.step()


def mode_statistics(x, centres, sigma, k=3.0):
    # |x - c|^2 = |x|^2 - 2 x c + |c|^2
    sq = (x**2).sum(1, keepdim=True) - 2 * x @ centres.T + (centres**2).sum(1)
    nearest = sq.argmin(1)
    one_hot = torch.nn.functional.one_hot(nearest, len(centres))
    counts = one_hot.sum(0)
    d = torch.linalg.vector_norm(x - centres[nearest], dim=1)
    n, m = len(x), len(centres)
    entropy = -sum(c / n * math.log(c / n) for c in counts.tolist() if c)
    return dict(counts=counts, high_quality=float((d / sigma < k).double().mean()), reverse_kl=math.log(m) - entropy)


def train_wgan_gp(critic, generator, data, n_iterations=1000, batch_size=256, dz=2, n_critic=5, lambda_=10.0, lr=5e-4):
    draw = data if callable(data) else lambda n: data[torch.multinomial(torch.ones(len(data)), n)]
    oc, og = (torch.optim.Adam(m.parameters(), lr, (0.5, 0.9)) for m in (critic, generator))
    for step in range(n_iterations * n_critic):
        critic_step(critic, generator, oc, draw(batch_size), torch.randn(batch_size, dz), None, lambda_)
        if (step + 1) % n_critic == 0:
            generator_step(critic, generator, og, torch.randn(batch_size, dz))


def discriminator_loss_smooth(d_real, d_fake, real_label=0.9):
    real = real_label * minus_log_sigmoid(d_real) + (1 - real_label) * minus_log_sigmoid(-d_real)
    return real.mean() + minus_log_sigmoid(-d_fake).mean()


def clip_weights(critic, c=0.01):
    state = critic.state_dict()
    critic.load_state_dict({key: value.clip(-c, c) for key, value in state.items()})


class Generator(nn.Module):
    def __init__(self, dz):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(dz, 128), nn.BatchNorm1d(128), nn.Linear(128, 784)

    def forward(self, z):
        return torch.tanh(self.c(torch.relu(self.b(self.a(z))))) / 2 + 0.5


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(128, 1)  # registered first, used last
        self.body = nn.Sequential(nn.Linear(784, 128), nn.LayerNorm(128), nn.LeakyReLU(0.2), nn.Dropout(0.1))

    def forward(self, x):
        return self.out(self.body(x.flatten(1)))


def image_networks(dz=32):
    return Generator(dz), Critic()
