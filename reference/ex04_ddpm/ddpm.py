r"""Denoising diffusion (DDPM): the reference solution.

Letters of the paper used below: $B$ samples, $T$ steps with indices $t = 0, \dots, T-1$ (the paper counts from 1),
$\beta_t$ the variance that step $t$ adds, $\alpha_t = 1 - \beta_t$, $\bar\alpha_t = \prod_{s \le t} \alpha_s$ the
share of the signal's variance that is left, $\varepsilon \sim \mathcal N(0, I)$ noise. Clean data are called $x_0$, as
in the paper; $x_t$ of the code is what comes out of step t = 0..T-1, and "before the first step" is t = -1, where
$\bar\alpha_{-1} = 1$.

A network is always passed in and called as ``model(x, t)``: x (B, ...), t a LongTensor (B,) of indices; it returns its
guess of $\varepsilon$, of the shape of x. Images are scaled to [-1, 1].

Sources:
    [1] Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, NeurIPS.
    [2] Vaswani et al. (2017), Attention is all you need, NeurIPS, section 3.5.
    [3] Ronneberger, Fischer & Brox (2015), U-Net, MICCAI.
    [4] Song, Meng & Ermon (2021), Denoising diffusion implicit models, ICLR.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Model = Callable[[Tensor, Tensor], Tensor]
Schedule = dict[str, Tensor]


# ---- 4.1 schedule


def linear_schedule(T: int, beta_min: float = 1e-4, beta_max: float = 0.02, scale: bool = True) -> Schedule:
    r"""Variances that grow linearly from ``beta_min`` to ``beta_max``.

    Args:
        T: number of steps.
        beta_min: $\beta_0$ of a schedule of 1000 steps.
        beta_max: $\beta_{T-1}$ of a schedule of 1000 steps.
        scale: multiply all betas by 1000/T, so that any T ends at about the same $\bar\alpha_{T-1}$. False: take
            ``beta_min`` and ``beta_max`` as they are.

    Returns:
        {"betas": $\beta$, "alphas": $\alpha = 1 - \beta$, "abar": $\bar\alpha$}, each (T,), in torch's default dtype.

    Raises:
        ValueError: a beta is not in (0, 1). With the defaults that happens for T <= 20.

    Example:
        >>> schedule = linear_schedule(2, 0.1, 0.5, scale=False)
        >>> schedule["abar"]
        tensor([0.9000, 0.4500])

    Source: [1] section 4, which has T = 1000; the factor 1000/T keeps the continuous-time limit.
    """
    factor = 1000 / T if scale else 1.0
    betas = torch.linspace(beta_min, beta_max, T) * factor
    if not bool(((betas > 0) & (betas < 1)).all()):
        low, high = float(betas.min()), float(betas.max())
        raise ValueError(f"betas must lie in (0, 1), got {low:.4g} to {high:.4g}: take more steps, or scale=False")
    alphas = 1 - betas
    return {"betas": betas, "alphas": alphas, "abar": torch.cumprod(alphas, dim=0)}


def _each(values: Tensor, x: Tensor) -> Tensor:
    """One number per sample, (B,), in a shape that multiplies x (B, ...): (B, 1, ..., 1)."""
    return values.to(x.dtype).reshape(-1, *[1] * (x.ndim - 1))


def _abar_before(schedule: Schedule, t: Tensor) -> Tensor:
    r"""$\bar\alpha_{t-1}$ for indices t (B,), with $\bar\alpha_{-1} = 1$; (B,)."""
    abar = schedule["abar"]
    return torch.where(t > 0, abar[(t - 1).clamp(min=0)], torch.ones_like(abar[:1]))


# ---- 4.2 forward process


def q_sample(x0: Tensor, t: Tensor, schedule: Schedule, noise: Tensor | None = None) -> Tensor:
    r"""Noise clean data to the level of step t in one draw.

    $x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \varepsilon$

    Args:
        x0: clean data, (B, ...).
        t: indices 0..T-1, long, (B,): each sample has its own.
        schedule: of `linear_schedule`.
        noise: $\varepsilon$, of the shape of ``x0``. None: drawn here, standard normal.

    Returns:
        $x_t$, of the shape and dtype of ``x0``.

    Example:
        >>> schedule = {"betas": torch.tensor([0.36]), "alphas": torch.tensor([0.64]), "abar": torch.tensor([0.64])}
        >>> q_sample(torch.tensor([[1.0, 2.0]]), torch.tensor([0]), schedule, torch.tensor([[1.0, -1.0]]))
        tensor([[1.4000, 1.0000]])

    Source: [1] Eq. (4).
    """
    eps = torch.randn_like(x0) if noise is None else noise
    abar = _each(schedule["abar"][t], x0)
    return abar.sqrt() * x0 + (1 - abar).sqrt() * eps


# ---- 4.3 loss


def ddpm_loss(
    model: Model, x0: Tensor, schedule: Schedule, t: Tensor | None = None, noise: Tensor | None = None
) -> Tensor:
    r"""The simplified training loss: how well the network finds the noise that was added.

    $\frac{1}{B D} \sum_b \| \varepsilon_b - \varepsilon_\theta(x_{t_b}, t_b) \|^2$, with D numbers per sample.

    Its minimum is not 0: for data $\mathcal N(m, s^2 I)$ the best network has the loss
    $\frac{\bar\alpha_t s^2}{\bar\alpha_t s^2 + 1 - \bar\alpha_t}$ at step t, which is near 1 at t = 0.

    Args:
        model: $\varepsilon_\theta$, called once as ``model(x_t, t)`` with t long (B,).
        x0: clean data, (B, ...).
        schedule: of `linear_schedule`.
        t: indices, long, (B,). None: drawn here, uniform on 0..T-1, one for each sample.
        noise: $\varepsilon$, of the shape of ``x0``. None: drawn here.

    Returns:
        A 0-d tensor, the mean over the batch *and* over the numbers of a sample; differentiable in the parameters of
        ``model``.

    Example:
        >>> schedule = {"betas": torch.tensor([0.36]), "alphas": torch.tensor([0.64]), "abar": torch.tensor([0.64])}
        >>> ddpm_loss(lambda x, t: x, torch.ones(1, 2), schedule, torch.tensor([0]), torch.tensor([[1.0, -1.0]]))
        tensor(0.8000)

    Source: [1] Eq. (14), Algorithm 1.
    """
    eps = torch.randn_like(x0) if noise is None else noise
    if t is None:
        t = torch.randint(0, len(schedule["betas"]), (x0.shape[0],), device=x0.device)  # the upper end is exclusive
    return (eps - model(q_sample(x0, t, schedule, eps), t)).square().mean()


# ---- 4.4 what the network's guess says about the clean data


def predict_x0(x_t: Tensor, t: Tensor, eps: Tensor, schedule: Schedule) -> Tensor:
    r"""The clean data if the noise in x_t were eps: `q_sample` solved for $x_0$.

    $\hat x_0 = \frac{x_t - \sqrt{1 - \bar\alpha_t}\, \varepsilon}{\sqrt{\bar\alpha_t}}$

    Args:
        x_t: noised data, (B, ...).
        t: indices, long, (B,).
        eps: noise, of the shape of ``x_t``.
        schedule: of `linear_schedule`.

    Returns:
        $\hat x_0$, of the shape of ``x_t``. It is not clipped.

    Example:
        >>> schedule = {"betas": torch.tensor([0.36]), "alphas": torch.tensor([0.64]), "abar": torch.tensor([0.64])}
        >>> predict_x0(torch.tensor([[1.4, 1.0]]), torch.tensor([0]), torch.tensor([[1.0, -1.0]]), schedule)
        tensor([[1.0000, 2.0000]])

    Source: [1] Eq. (15).
    """
    abar = _each(schedule["abar"][t], x_t)
    return (x_t - (1 - abar).sqrt() * eps) / abar.sqrt()


def q_posterior(x0: Tensor, x_t: Tensor, t: Tensor, schedule: Schedule) -> tuple[Tensor, Tensor]:
    r"""The law of one step back when the clean data are known, $q(x_{t-1} \mid x_t, x_0)$: a Gaussian.

    mean $\frac{\sqrt{\bar\alpha_{t-1}}\, \beta_t}{1 - \bar\alpha_t} x_0
    + \frac{\sqrt{\alpha_t}\, (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t} x_t$,
    variance $\frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t} \beta_t$, with $\bar\alpha_{-1} = 1$: at t = 0 the mean is
    $x_0$ and the variance 0.

    Args:
        x0: clean data, (B, ...).
        x_t: noised data, of the shape of ``x0``.
        t: indices, long, (B,).
        schedule: of `linear_schedule`.

    Returns:
        (mean, var): the mean has the shape of ``x0``; the variance (not the deviation) of every coordinate broadcasts
        against it, here (B, 1, ..., 1).

    Example:
        >>> betas = torch.tensor([0.36, 0.75])
        >>> schedule = {"betas": betas, "alphas": 1 - betas, "abar": torch.tensor([0.64, 0.16])}
        >>> mean, var = q_posterior(torch.ones(1, 1), torch.zeros(1, 1), torch.tensor([1]), schedule)
        >>> float(mean), float(var)  # 0.8 * 0.75 / 0.84, 0.36 / 0.84 * 0.75
        (0.7142857313156128, 0.3214285671710968)

    Source: [1] Eq. (6) and (7).
    """
    abar, before = _each(schedule["abar"][t], x_t), _each(_abar_before(schedule, t), x_t)
    beta, alpha = _each(schedule["betas"][t], x_t), _each(schedule["alphas"][t], x_t)
    mean = before.sqrt() * beta / (1 - abar) * x0 + alpha.sqrt() * (1 - before) / (1 - abar) * x_t
    return mean, (1 - before) / (1 - abar) * beta


# ---- 4.5 and 4.6 reverse process


def p_sample(model: Model, x_t: Tensor, t: int, schedule: Schedule, noise: Tensor | None = None) -> Tensor:
    r"""One ancestral step back, from $x_t$ to $x_{t-1}$.

    $x_{t-1} = \frac{1}{\sqrt{\alpha_t}} \left( x_t - \frac{\beta_t}{\sqrt{1 - \bar\alpha_t}}\,
    \varepsilon_\theta(x_t, t) \right) + \sqrt{\beta_t}\, n$, and no noise at t = 0, where the result is the answer.

    Args:
        model: $\varepsilon_\theta$, called as ``model(x_t, t)`` with t long (B,).
        x_t: (B, ...).
        t: one index for the whole batch, an int.
        schedule: of `linear_schedule`.
        noise: $n$, of the shape of ``x_t``. None: drawn here. Not used at t = 0.

    Returns:
        $x_{t-1}$, of the shape of ``x_t``.

    Example:
        >>> betas = torch.tensor([0.36, 0.75])
        >>> schedule = {"betas": betas, "alphas": 1 - betas, "abar": torch.tensor([0.64, 0.16])}
        >>> p_sample(lambda x, t: 0 * x, torch.ones(1, 2), 1, schedule, torch.tensor([[0.0, 2.0]]))
        tensor([[2.0000, 3.7321]])
        >>> p_sample(lambda x, t: x, torch.ones(1, 2), 0, schedule, torch.tensor([[0.0, 2.0]]))
        tensor([[0.5000, 0.5000]])

    Source: [1] Eq. (11) with $\sigma_t^2 = \beta_t$; Algorithm 2, lines 3 and 4.
    """
    beta, alpha, abar = (schedule[key][t].to(x_t.dtype) for key in ("betas", "alphas", "abar"))
    index = torch.full((x_t.shape[0],), t, dtype=torch.long, device=x_t.device)
    mean = (x_t - beta / (1 - abar).sqrt() * model(x_t, index)) / alpha.sqrt()
    if t == 0:
        return mean
    n = torch.randn_like(x_t) if noise is None else noise
    return mean + beta.sqrt() * n


def sample(
    model: Model,
    shape: tuple[int, ...],
    schedule: Schedule,
    noises: Tensor | None = None,
    return_traj: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Generate: start from pure noise and take all T steps back, t = T-1, ..., 0.

    Args:
        model: $\varepsilon_\theta$.
        shape: of the result, (B, ...).
        schedule: of `linear_schedule`.
        noises: (T + 1, *shape): ``noises[0]`` is the start, ``noises[1 + i]`` the noise of the i-th step taken
            (i = 0 is t = T-1); the last entry belongs to t = 0 and is not used. None: everything is drawn here.
        return_traj: also return every state.

    Returns:
        The generated data, of shape ``shape``, without a graph; with ``return_traj`` the pair (data, trajectory), the
        trajectory (T + 1, *shape) with the start first and the generated data last.

    Example:
        >>> betas = torch.tensor([0.36, 0.75])
        >>> schedule = {"betas": betas, "alphas": 1 - betas, "abar": torch.tensor([0.64, 0.16])}
        >>> x, traj = sample(lambda x, t: 0 * x, (1, 1), schedule, torch.ones(3, 1, 1), return_traj=True)
        >>> traj[:, 0, 0]  # 1, then 1 / 0.5 + sqrt(0.75), then that / 0.8
        tensor([1.0000, 2.8660, 3.5825])

    Source: [1] Algorithm 2.
    """
    T = len(schedule["betas"])
    x = torch.randn(shape) if noises is None else noises[0]
    traj = [x]
    with torch.no_grad():  # a graph through T evaluations of the network would fill the memory
        for i, t in enumerate(reversed(range(T))):
            x = p_sample(model, x, t, schedule, None if noises is None else noises[1 + i])
            traj.append(x)
    return (x, torch.stack(traj)) if return_traj else x


# ---- 4.7 and 4.8 network


def time_embedding(t: Tensor, dim: int) -> Tensor:
    r"""Sines and cosines of t at frequencies from 1 down to nearly 1/10000.

    $[\sin(t \omega_0), \dots, \sin(t \omega_{h-1}), \cos(t \omega_0), \dots, \cos(t \omega_{h-1})]$ with
    $\omega_k = 10000^{-k/h}$ and $h = $ ``dim`` / 2.

    Args:
        t: indices, (B,), long or floating.
        dim: length of the code, even.

    Returns:
        (B, dim), in torch's default dtype (the dtype of ``t`` if that is floating).

    Example:
        >>> time_embedding(torch.tensor([0, 1]), 4)
        tensor([[0.0000, 0.0000, 1.0000, 1.0000],
                [0.8415, 0.0100, 0.5403, 0.9999]])

    Source: [2] section 3.5, all sines before all cosines.
    """
    half = dim // 2
    dtype = t.dtype if t.is_floating_point() else torch.get_default_dtype()
    frequencies = torch.exp(-math.log(10000) / half * torch.arange(half, dtype=dtype, device=t.device))
    angles = t.to(dtype)[:, None] * frequencies  # (B, half)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Block(nn.Module):
    """Two convolutions; the time is added to every channel between them; a shortcut around both.

    Args:
        c_in, c_out: channels; ``c_out`` a multiple of 4.
        d_time: length of the time's code.
    """

    def __init__(self, c_in: int, c_out: int, d_time: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1)
        # GroupNorm looks at one image at a time: BatchNorm would make an image depend on the others in its batch
        self.norm1 = nn.GroupNorm(4, c_out)
        self.time = nn.Linear(d_time, c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.norm2 = nn.GroupNorm(4, c_out)
        self.shortcut = nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """(B, c_in, H, W) and (B, d_time) -> (B, c_out, H, W)."""
        h = F.silu(self.norm1(self.conv1(x)))
        h = h + self.time(time)[:, :, None, None]
        return self.shortcut(x) + F.silu(self.norm2(self.conv2(h)))


class UNet(nn.Module):
    """A small U-Net that guesses the noise in an image.

    Down: H, H/2, H/4; up again the same way, where the features of each size on the way down are joined to those of
    the same size on the way up (skip connections). The time enters every block.

    Args:
        c: channels at full size (twice as many below), a multiple of 4. c = 16 gives 93,617 parameters.

    Source: [3] for the shape; [1] appendix B for time in every block.
    """

    def __init__(self, c: int = 16) -> None:
        super().__init__()
        self.d_time = 4 * c
        self.time = nn.Sequential(nn.Linear(self.d_time, self.d_time), nn.SiLU(), nn.Linear(self.d_time, self.d_time))
        self.down1 = Block(1, c, self.d_time)
        self.down2 = Block(c, 2 * c, self.d_time)
        self.middle = Block(2 * c, 2 * c, self.d_time)
        self.up2 = Block(4 * c, 2 * c, self.d_time)
        self.up1 = Block(3 * c, c, self.d_time)
        self.out = nn.Conv2d(c, 1, 3, padding=1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Guess the noise.

        Args:
            x: images, (B, 1, H, W), H and W multiples of 4 (28 and 32, say).
            t: indices, long, (B,).

        Returns:
            (B, 1, H, W).
        """
        time = self.time(time_embedding(t, self.d_time).to(x.dtype))  # (B, 4c)
        h1 = self.down1(x, time)  # (B, c, H, W)
        h2 = self.down2(F.avg_pool2d(h1, 2), time)  # (B, 2c, H/2, W/2)
        h = self.middle(F.avg_pool2d(h2, 2), time)  # (B, 2c, H/4, W/4)
        h = self.up2(torch.cat([F.interpolate(h, scale_factor=2), h2], dim=1), time)  # (B, 2c, H/2, W/2)
        h = self.up1(torch.cat([F.interpolate(h, scale_factor=2), h1], dim=1), time)  # (B, c, H, W)
        return self.out(h)


# ---- 4.10 optional: DDIM


def ddim_timesteps(T: int, S: int) -> list[int]:
    r"""Optional: the S indices at which DDIM asks the network, from 0 to T-1 as evenly as whole numbers allow.

    Args:
        T: steps of the schedule.
        S: steps to take, 2 <= S <= T.

    Returns:
        S increasing indices, the first 0, the last T-1: $k (T-1)/(S-1)$ rounded, k = 0..S-1.

    Example:
        >>> ddim_timesteps(10, 4)
        [0, 3, 6, 9]

    Source: [4] section 4.2; the end points are the assignment's.
    """
    return [round(k * (T - 1) / (S - 1)) for k in range(S)]


def ddim_step(
    model: Model,
    x: Tensor,
    t: int,
    t_prev: int,
    schedule: Schedule,
    eta: float = 0.0,
    noise: Tensor | None = None,
) -> Tensor:
    r"""Optional: one DDIM step from level t down to any lower level.

    $x_{\mathrm{prev}} = \sqrt{\bar\alpha_{\mathrm{prev}}}\, \hat x_0
    + \sqrt{1 - \bar\alpha_{\mathrm{prev}} - \sigma^2}\, \varepsilon_\theta(x, t) + \sigma n$, with
    $\sigma = \eta \sqrt{\frac{1 - \bar\alpha_{\mathrm{prev}}}{1 - \bar\alpha_t}}
    \sqrt{1 - \frac{\bar\alpha_t}{\bar\alpha_{\mathrm{prev}}}}$ and $\hat x_0$ of `predict_x0`.

    Args:
        model: $\varepsilon_\theta$, called as ``model(x, t)`` with t long (B,).
        x: data at level t, (B, ...).
        t: index from which to go.
        t_prev: index to which to go, < t; -1 means the clean data, $\bar\alpha_{-1} = 1$.
        schedule: of `linear_schedule`.
        eta: 0 is deterministic; 1 with t_prev = t-1 is the ancestral step with the variance of `q_posterior`.
        noise: $n$, of the shape of ``x``. None: drawn here if ``eta`` > 0.

    Returns:
        Data at level t_prev, of the shape of ``x``.

    Example:
        >>> betas = torch.tensor([0.36, 0.75])
        >>> schedule = {"betas": betas, "alphas": 1 - betas, "abar": torch.tensor([0.64, 0.16])}
        >>> ddim_step(lambda x, t: 0 * x, torch.ones(1, 1), 1, -1, schedule)
        tensor([[2.5000]])

    Source: [4] Eq. (12) and (16).
    """
    abar_t = schedule["abar"][t].to(x.dtype)
    before = torch.ones_like(abar_t) if t_prev < 0 else schedule["abar"][t_prev].to(x.dtype)
    index = torch.full((x.shape[0],), t, dtype=torch.long, device=x.device)
    eps = model(x, index)
    sigma = eta * ((1 - before) / (1 - abar_t)).sqrt() * (1 - abar_t / before).sqrt()
    # at eta = 1 and t_prev = -1 the argument of the root is 0 but for rounding
    direction = (1 - before - sigma**2).clamp(min=0).sqrt() * eps
    x_prev = before.sqrt() * predict_x0(x, index, eps, schedule) + direction
    if eta == 0:
        return x_prev
    n = torch.randn_like(x) if noise is None else noise
    return x_prev + sigma * n


def ddim_sample(
    model: Model,
    x_T: Tensor,
    schedule: Schedule,
    n_steps: int = 20,
    eta: float = 0.0,
    noises: Tensor | None = None,
) -> Tensor:
    r"""Optional: from pure noise to data in ``n_steps`` DDIM steps.

    They go through `ddim_timesteps` from the last to the first, and the last one to the clean data (t_prev = -1).

    Args:
        model: $\varepsilon_\theta$.
        x_T: the start, (B, ...).
        schedule: of `linear_schedule`.
        n_steps: 2 <= n_steps <= T.
        eta: as in `ddim_step`.
        noises: (n_steps, B, ...), ``noises[i]`` for the i-th step taken. None: drawn here if ``eta`` > 0.

    Returns:
        Generated data, of the shape of ``x_T``.

    Example:
        >>> betas = torch.tensor([0.36, 0.75])
        >>> schedule = {"betas": betas, "alphas": 1 - betas, "abar": torch.tensor([0.64, 0.16])}
        >>> ddim_sample(lambda x, t: 0 * x, torch.ones(1, 1), schedule, 2)
        tensor([[2.5000]])

    Source: [4] section 4.2.
    """
    levels = [-1, *ddim_timesteps(len(schedule["betas"]), n_steps)]
    x = x_T
    with torch.no_grad():
        for i in range(n_steps):
            t, t_prev = levels[n_steps - i], levels[n_steps - i - 1]
            x = ddim_step(model, x, t, t_prev, schedule, eta, None if noises is None else noises[i])
    return x


# ---- 4.11 optional: encoding and interpolation


def ddim_invert(model: Model, x0: Tensor, schedule: Schedule, n_steps: int = 20) -> Tensor:
    r"""Optional: from data to the noise that DDIM would turn into them, up to an error that vanishes with many steps.

    The steps of `ddim_sample` with eta = 0 backwards, level s up to level t. The noise at level t is not known before
    the step, so it is asked for at the data of level s: $\varepsilon = \varepsilon_\theta(x_s, t)$, then
    $x_t = \sqrt{\bar\alpha_t} \frac{x_s - \sqrt{1 - \bar\alpha_s}\, \varepsilon}{\sqrt{\bar\alpha_s}}
    + \sqrt{1 - \bar\alpha_t}\, \varepsilon$, from s = -1 (where $\bar\alpha_s = 1$).

    Args:
        model: $\varepsilon_\theta$, asked at t, the level to which the step goes.
        x0: data, (B, ...).
        schedule: of `linear_schedule`.
        n_steps: 2 <= n_steps <= T.

    Returns:
        The code $x_T$, of the shape of ``x0``.

    Example:
        >>> betas = torch.tensor([0.36, 0.75])
        >>> schedule = {"betas": betas, "alphas": 1 - betas, "abar": torch.tensor([0.64, 0.16])}
        >>> ddim_invert(lambda x, t: 0 * x, torch.tensor([[2.5]]), schedule, 2)
        tensor([[1.]])

    Source: [4] section 4.3 (Eq. 14 run from t = 0 to T).
    """
    x, before = x0, torch.ones_like(schedule["abar"][0], dtype=x0.dtype)
    for t in ddim_timesteps(len(schedule["betas"]), n_steps):
        abar = schedule["abar"][t].to(x.dtype)
        index = torch.full((x.shape[0],), t, dtype=torch.long, device=x.device)
        with torch.no_grad():
            eps = model(x, index)
        x = abar.sqrt() * (x - (1 - before).sqrt() * eps) / before.sqrt() + (1 - abar).sqrt() * eps
        before = abar
    return x


def slerp(a: Tensor, b: Tensor, weight: float) -> Tensor:
    r"""Optional: walk from a to b along the great circle through both, sample by sample.

    $\frac{\sin((1 - w) \omega)}{\sin \omega} a + \frac{\sin(w \omega)}{\sin \omega} b$ with $\omega$ the angle
    between a and b. A straight line between two normal samples passes points too short to be normal samples.

    Args:
        a, b: (B, ...), no sample of the two parallel or opposite.
        weight: w in [0, 1]; 0 gives a, 1 gives b.

    Returns:
        Of the shape of ``a``.

    Example:
        >>> slerp(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), 0.5)
        tensor([[0.7071, 0.7071]])

    Source: [4] section 5.3.
    """
    p, q = a.flatten(1), b.flatten(1)
    cosine = (p * q).sum(dim=1) / (p.norm(dim=1) * q.norm(dim=1))
    omega = torch.acos(cosine.clamp(-1, 1))  # (B,)
    return (_each(torch.sin((1 - weight) * omega), a) * a + _each(torch.sin(weight * omega), a) * b) / _each(
        torch.sin(omega), a
    )
