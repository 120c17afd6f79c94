# wrong: the untouched stub | fails: clean/clean_data, clean/posterior, clean/posterior_by_bayes, clean/undoes_the_noising, ddim/slerp, embedding/other_sizes, embedding/values, forward/as_many_samples_as_pixels, forward/fresh_noise, forward/given_noise, forward/single_steps_add_up, schedule/other_settings, schedule/signal_is_gone_at_the_end, schedule/values, step/fresh_noise, step/given_noise, step/last_step, step/mean_is_that_of_the_posterior, step/variational_bound, unet/gradient_reaches_every_stage, unet/images_do_not_mix, unet/paths_through_the_sizes, unet/shapes, unet/uses_its_time | diagnosis: none | cause: not_attempted
r"""Exercise 4: denoising diffusion (DDPM). Statement: README.md beside this file.

Replace every `raise NotImplementedError` by your code; keep names and parameters. Helpers of your own
are welcome. Work with the dtype and device of the inputs, and leave the inputs unchanged.

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
    # TODO 4.1: torch.linspace gives the unscaled betas; then think of what T steps instead of 1000 must add up to.
    raise NotImplementedError("exercise 4.1: linear_schedule is not written yet")


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
    # TODO 4.2: look up one abar per sample and reshape it so that it multiplies (B, ...), for any number of dimensions.
    raise NotImplementedError("exercise 4.2: q_sample is not written yet")


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
    # TODO 4.3: draw what was not given (one t per sample); every index from 0 to T-1 must be possible.
    raise NotImplementedError("exercise 4.3: ddpm_loss is not written yet")


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
    # TODO 4.4: solve the line of q_sample for x0.
    raise NotImplementedError("exercise 4.4: predict_x0 is not written yet")


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
    # TODO 4.4: build abar before the step, (B,), first; mind t = 0.
    raise NotImplementedError("exercise 4.4: q_posterior is not written yet")


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
    # TODO 4.5: make the LongTensor (B,) that the network expects out of the int t.
    raise NotImplementedError("exercise 4.5: p_sample is not written yet")


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
    # TODO 4.6: get the start, then loop over t from the last index to the first, without recording gradients.
    raise NotImplementedError("exercise 4.6: sample is not written yet")


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
    # TODO 4.7: compute the dim / 2 frequencies, then all angles at once, (B, dim / 2).
    raise NotImplementedError("exercise 4.7: time_embedding is not written yet")


class UNet(nn.Module):
    """A small U-Net that guesses the noise in an image.

    Down: H, H/2, H/4; up again the same way, where the features of each size on the way down are joined to those of
    the same size on the way up (skip connections). The time enters every block.

    Args:
        c: channels at full size (twice as many below), a multiple of 4. With c = 16 about 90,000 parameters.

    Source: [3] for the shape; [1] appendix B for time in every block.
    """

    def __init__(self, c: int = 16) -> None:
        super().__init__()
        # TODO 4.8: write a block (two convolutions, the time added between them) as a module of its own first.
        raise NotImplementedError("exercise 4.8: UNet is not written yet")

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Guess the noise.

        Args:
            x: images, (B, 1, H, W), H and W multiples of 4 (28 and 32, say).
            t: indices, long, (B,).

        Returns:
            (B, 1, H, W).
        """
        # TODO 4.8: keep the features of each size on the way down; join them on the way up.
        raise NotImplementedError("exercise 4.8: UNet.forward is not written yet")


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
    # TODO 4.10: space S numbers evenly from 0 to T-1, both included, and round them.
    raise NotImplementedError("exercise 4.10: ddim_timesteps is not written yet")


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
    # TODO 4.10: look up abar at t and at t_prev (mind -1), then predict x0.
    raise NotImplementedError("exercise 4.10: ddim_step is not written yet")


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
    # TODO 4.10: pair each level with the next lower one; the last pair ends at -1.
    raise NotImplementedError("exercise 4.10: ddim_sample is not written yet")


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
    # TODO 4.11: write down the levels, from clean data up, and which abar belongs to each.
    raise NotImplementedError("exercise 4.11: ddim_invert is not written yet")


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
    # TODO 4.11: flatten each sample to find the angle between a and b, (B,).
    raise NotImplementedError("exercise 4.11: slerp is not written yet")
