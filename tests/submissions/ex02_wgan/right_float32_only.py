# right: casts everything to float32, so it works with float32 networks only

import torch
import torch.nn as nn
import torch.nn.functional as F


def discriminator_loss(d_real, d_fake):
    return F.softplus(-d_real.float()).mean() + F.softplus(d_fake.float()).mean()


def generator_loss_ns(d_fake):
    return F.softplus(-d_fake.float()).mean()


def generator_loss_saturating(d_fake):
    return -F.softplus(d_fake.float()).mean()


def critic_loss(c_real, c_fake):
    return c_fake.float().mean() - c_real.float().mean()


def generator_loss_w(c_fake):
    return -c_fake.float().mean()


def gradient_penalty(critic, real, fake, alpha=None, lambda_=10.0):
    real, fake = real.float(), fake.float()
    alpha = torch.rand(len(real), *[1] * (real.ndim - 1), dtype=torch.float32) if alpha is None else alpha.float()
    x = (alpha * real + (1 - alpha) * fake).detach().requires_grad_(True)
    g = torch.autograd.grad(critic(x).sum(), x, create_graph=True)[0]
    return lambda_ * (g.flatten(1).norm(dim=1) - 1).pow(2).mean()


def critic_step(critic, generator, opt_critic, real, z, alpha=None, lambda_=10.0):
    opt_critic.zero_grad()
    fake = generator(z.float()).detach()
    loss = critic_loss(critic(real.float()), critic(fake)) + gradient_penalty(critic, real, fake, alpha, lambda_)
    loss.backward()
    opt_critic.step()


def generator_step(critic, generator, opt_generator, z):
    opt_generator.zero_grad()
    generator_loss_w(critic(generator(z.float()))).backward()
    opt_generator.step()


def mode_statistics(x, centres, sigma, k=3.0):
    d, i = torch.cdist(x.float(), centres.float()).min(1)
    counts = torch.bincount(i, minlength=len(centres)).float()
    p = counts / counts.sum()
    kl = torch.where(p > 0, p * torch.log(p.clamp(min=1e-30) * len(p)), torch.zeros_like(p)).sum()
    return {"counts": counts, "high_quality": (d <= k * sigma).float().mean(), "reverse_kl": kl}


def train_wgan_gp(
    critic, generator, data, n_iterations=1000, batch_size=256, dz=2, n_critic=5, lambda_=10.0, lr=5e-4
):
    oc = torch.optim.Adam(critic.parameters(), lr=lr, betas=(0.5, 0.9))
    og = torch.optim.Adam(generator.parameters(), lr=lr, betas=(0.5, 0.9))
    for _ in range(n_iterations):
        for _ in range(n_critic):
            real = data(batch_size) if callable(data) else data[torch.randint(0, len(data), (batch_size,))]
            z = torch.randn(batch_size, dz, dtype=torch.float32)
            critic_step(critic, generator, oc, real, z, lambda_=lambda_)
        generator_step(critic, generator, og, torch.randn(batch_size, dz, dtype=torch.float32))


def discriminator_loss_smooth(d_real, d_fake, real_label=0.9):
    real = F.binary_cross_entropy_with_logits(d_real, torch.full_like(d_real, real_label))
    return real + F.binary_cross_entropy_with_logits(d_fake, torch.zeros_like(d_fake))


def clip_weights(critic, c=0.01):
    for p in critic.parameters():
        p.data.clamp_(-c, c)


def image_networks(dz=32):
    g = nn.Sequential(nn.Linear(dz, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid())
    c = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 1))
    return g, c
