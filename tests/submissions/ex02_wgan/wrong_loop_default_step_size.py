# wrong: the loop's default step size is that of Adam | fails: loop/settings | diagnosis: none

import torch
import torch.nn as nn
import torch.nn.functional as F


def discriminator_loss(d_real, d_fake):
    real = F.binary_cross_entropy_with_logits(d_real, torch.ones_like(d_real))
    fake = F.binary_cross_entropy_with_logits(d_fake, torch.zeros_like(d_fake))
    return real + fake


def generator_loss_ns(d_fake):
    return F.binary_cross_entropy_with_logits(d_fake, torch.ones_like(d_fake))


def generator_loss_saturating(d_fake):
    return -F.binary_cross_entropy_with_logits(d_fake, torch.zeros_like(d_fake))


def critic_loss(c_real, c_fake):
    return torch.mean(c_fake) - torch.mean(c_real)


def generator_loss_w(c_fake):
    return -torch.mean(c_fake)


def gradient_penalty(critic, real, fake, alpha=None, lambda_=10.0):
    if alpha is None:
        alpha = torch.rand([real.shape[0]] + [1] * (real.dim() - 1), dtype=real.dtype)
    x_hat = alpha * real + (1 - alpha) * fake
    x_hat = x_hat.detach().clone()
    x_hat.requires_grad = True
    out = critic(x_hat)
    grad = torch.autograd.grad(outputs=out, inputs=x_hat, grad_outputs=torch.ones_like(out), create_graph=True)[0]
    grad = grad.reshape(real.shape[0], -1)
    norm = torch.sqrt((grad**2).sum(1) + 1e-12)
    return lambda_ * ((norm - 1) ** 2).mean()


def critic_step(critic, generator, opt_critic, real, z, alpha=None, lambda_=10.0):
    opt_critic.zero_grad()
    fake = generator(z).detach()
    gp = gradient_penalty(critic, real, fake, alpha, lambda_)
    loss = critic_loss(critic(real), critic(fake)) + gp
    loss.backward()
    opt_critic.step()
    return loss.item()


def generator_step(critic, generator, opt_generator, z):
    opt_generator.zero_grad()
    loss = generator_loss_w(critic(generator(z)))
    loss.backward()
    opt_generator.step()
    return loss.item()


def mode_statistics(x, centres, sigma, k=3.0):
    dist = ((x[:, None, :] - centres[None, :, :]) ** 2).sum(2).sqrt()
    best, idx = dist.min(1)
    counts = torch.zeros(centres.shape[0])
    for i in idx.tolist():
        counts[i] += 1
    hq = (best <= k * sigma).sum().item() / x.shape[0]
    p = counts / counts.sum()
    kl = 0.0
    for pj in p.tolist():
        if pj > 0:
            kl += pj * float(torch.log(torch.tensor(pj * len(p), dtype=torch.float64)))
    return {"counts": counts, "high_quality": hq, "reverse_kl": kl}


def train_wgan_gp(
    critic, generator, data, n_iterations=1000, batch_size=256, dz=2, n_critic=5, lambda_=10.0, lr=1e-3
):
    opt_c = torch.optim.Adam(critic.parameters(), lr=lr, betas=(0.5, 0.9))
    opt_g = torch.optim.Adam(generator.parameters(), lr=lr, betas=(0.5, 0.9))
    for it in range(n_iterations):
        for _ in range(n_critic):
            if callable(data):
                real = data(batch_size)
            else:
                real = data[torch.randperm(len(data))[:batch_size]]
            z = torch.randn(batch_size, dz)
            critic_step(critic, generator, opt_c, real, z, lambda_=lambda_)
        generator_step(critic, generator, opt_g, torch.randn(batch_size, dz))


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
