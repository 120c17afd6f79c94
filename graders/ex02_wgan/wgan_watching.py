"""Trainings for the figures: the student's own functions, stopped now and then to look at the networks."""

from __future__ import annotations

from typing import Any


def in_stages(module: Any, build: Any, settings: dict[str, Any], seed: int, stages: list[int]) -> Any:
    """Runs in the worker: WGAN-GP with the student's loop; [critic, generator] parameters at the start and each stage.

    Args:
        module: the student's module.
        build: makes (critic, generator) from `settings`.
        settings: fields of `wgan_training.Problem`.
        stages: generator iterations of each stage, in all.
    """
    import torch

    torch.manual_seed(seed)
    critic, generator = build(settings)
    centres = torch.tensor(settings["centres"], dtype=torch.get_default_dtype())

    def sample(n: int) -> Any:
        return centres[torch.randint(len(centres), (n,))] + settings["sigma"] * torch.randn(n, 2)

    def now() -> list[list[Any]]:
        return [[value.detach().clone() for value in net.parameters()] for net in (critic, generator)]

    seen, done = [now()], 0
    for stage in stages:
        module.train_wgan_gp(
            critic,
            generator,
            sample,
            n_iterations=stage - done,
            batch_size=settings["batch"],
            dz=2,
            n_critic=settings["n_critic"],
            lambda_=settings["lambda_"],
            lr=settings["lr"],
        )
        seen.append(now())
        done = stage
    return seen


def collapsing(module: Any, build: Any, settings: dict[str, Any], seed: int, stages: list[int]) -> Any:
    """Runs in the worker: a GAN with the student's losses whose generator learns ten times as fast as its opponent.

    Such a pair collapses, whatever the seed: the generator jumps from mode to mode and the discriminator runs behind.

    Returns:
        samples (2500, 2) at every stage; both losses in every iteration, (N, 2); counts, high quality and reverse KL
        of the last samples by the student's `mode_statistics`.
    """
    import torch

    torch.manual_seed(seed)
    discriminator, generator = build(settings)
    betas = (0.5, 0.999)
    down = torch.optim.Adam(discriminator.parameters(), lr=1e-4, betas=betas)
    up = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=betas)
    centres, batch = torch.tensor(settings["centres"], dtype=torch.get_default_dtype()), settings["batch"]
    samples, losses = [], []
    for iteration in range(1, stages[-1] + 1):
        real = centres[torch.randint(len(centres), (batch,))] + settings["sigma"] * torch.randn(batch, 2)
        fake = generator(torch.randn(batch, 2)).detach()
        loss = module.discriminator_loss(discriminator(real), discriminator(fake))
        down.zero_grad()
        loss.backward()
        down.step()
        wish = module.generator_loss_ns(discriminator(generator(torch.randn(batch, 2))))
        up.zero_grad()
        wish.backward()
        up.step()
        losses.append([loss.item(), wish.item()])
        if iteration in stages:
            with torch.no_grad():
                samples.append(generator(torch.randn(2500, 2)))
    found = module.mode_statistics(samples[-1], centres, settings["sigma"])
    return samples, torch.tensor(losses), [found[key] for key in ("counts", "high_quality", "reverse_kl")]


def statistics_of(module: Any, x: Any, centres: Any, sigma: float) -> Any:
    """Runs in the worker: the student's mode statistics in a fixed order."""
    found = module.mode_statistics(x, centres, sigma)
    return [found[key] for key in ("counts", "high_quality", "reverse_kl")]


def plain_picture_networks(dz: int) -> Any:
    """(generator, critic) for pictures, for students who left part 2.10 out."""
    from torch import nn

    generator = nn.Sequential(nn.Linear(dz, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid())
    return generator, nn.Sequential(nn.Linear(784, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1))


def pictures_in_stages(
    module: Any, fallback: Any, images: Any, noise: Any, seed: int, settings: dict[str, Any], stages: list[int]
) -> Any:
    """Runs in the worker: WGAN-GP on pictures; what the generator makes of `noise` at each stage, (S, M, 784)."""
    import torch

    torch.manual_seed(seed)
    try:
        generator, critic = module.image_networks(settings["dz"])
    except (AttributeError, NotImplementedError):
        generator, critic = fallback(settings["dz"])
    data, noise = images.to(torch.get_default_dtype()) / 255, noise.to(torch.get_default_dtype())
    made, done = [], 0
    for stage in stages:
        module.train_wgan_gp(
            critic,
            generator,
            data,
            n_iterations=stage - done,
            batch_size=settings["batch"],
            dz=settings["dz"],
            n_critic=settings["n_critic"],
            lambda_=settings["lambda_"],
            lr=settings["lr"],
        )
        done = stage
        with torch.no_grad():
            made.append(generator(noise).detach().clone())
    return torch.stack(made)
