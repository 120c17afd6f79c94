r"""Exercise 6: entropic optimal transport with the Sinkhorn algorithm.

One set of letters for the whole file:

    x (n, d), y (m, d)   two clouds of points
    a (n,), b (m,)       their weights, positive, each summing to 1
    C (n, m)             what it costs to carry one unit of mass from x_i to y_j
    P (n, m)             a transport plan: P_ij is the mass that goes from x_i to y_j
    eps                  strength of the regularisation, in units of C
    f (n,), g (m,)       dual potentials, in units of C

The problem that is solved, with KL(P given a b^T) = sum_ij P_ij log(P_ij / (a_i b_j)) in nats:

    OT_eps = min over P with row sums a and column sums b of  <P, C> + eps * KL(P given a b^T),

and its solution has the form P_ij = exp((f_i + g_j - C_ij) / eps) * a_i * b_j.

Main sources: Cuturi (2013), Sinkhorn Distances, arXiv:1306.0895; Peyre and Cuturi (2019), Computational
Optimal Transport, arXiv:1803.00567 (chapter 4 for the algorithm, chapter 2 for the closed forms).
"""

import torch
from torch import Tensor


# -------------------------------------------------------------------------------------- 6.1 costs, and two closed forms
def cost_matrix(x: Tensor, y: Tensor, p: float = 2) -> Tensor:
    r"""Return the cost of every pair of points, the p-th power of their Euclidean distance.

    $C_{ij} = \lVert x_i - y_j \rVert_2^p$; with the default p = 2 this is the **squared** distance.

    Args:
        x: (n, d) points.
        y: (m, d) points.
        p: power of the distance, at least 1.

    Returns:
        (n, m) costs, with the dtype and device of ``x``; zero where the points coincide.

    Example:
        >>> cost_matrix(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
        tensor([[25.,  1.]])

    Source: Peyre and Cuturi (2019), Proposition 2.2 (the cost is a power of a distance).
    """
    squared = (x[:, None, :] - y[None, :, :]).square().sum(-1)  # (n, m)
    # No square root on the way to p = 2: its derivative is infinite where two points coincide.
    return squared if p == 2 else squared ** (p / 2)


def wasserstein_1d(u: Tensor, v: Tensor) -> Tensor:
    r"""Return W1 between two samples on the line, of equal size and with equal weights.

    $W_1 = \frac1n \sum_i | u_{(i)} - v_{(i)} |$ with both samples in increasing order.

    Args:
        u: (n,) numbers, in any order.
        v: (n,) numbers, in any order.

    Returns:
        One number, in the unit of the samples.

    Raises:
        ValueError: if the samples do not have the same size (not graded).

    Source: Peyre and Cuturi (2019), Remark 2.28 (one-dimensional empirical measures).
    """
    if u.shape != v.shape:
        raise ValueError(f"the samples must have the same size, got {tuple(u.shape)} and {tuple(v.shape)}")
    return (u.sort().values - v.sort().values).abs().mean()


def w2_gaussians(m1: Tensor, S1: Tensor, m2: Tensor, S2: Tensor) -> Tensor:
    r"""Return W2 **squared** between the Gaussians N(m1, S1) and N(m2, S2).

    $W_2^2 = \lVert m_1 - m_2 \rVert^2
    + \mathrm{tr}\bigl(S_1 + S_2 - 2\,(S_1^{1/2} S_2 S_1^{1/2})^{1/2}\bigr)$, with matrix square roots.

    Args:
        m1: (d,) mean.
        S1: (d, d) covariance, symmetric and positive definite.
        m2: (d,) mean.
        S2: (d, d) covariance, symmetric and positive definite; it need not commute with S1.

    Returns:
        One number, in squared units of length.

    Source: Peyre and Cuturi (2019), Remark 2.31 (Gaussians; the second term is the squared Bures distance).
    """
    root = _matrix_root(S1)
    cross = _matrix_root(root @ S2 @ root)
    return (m1 - m2).square().sum() + torch.trace(S1 + S2 - 2 * cross)


def _matrix_root(S: Tensor) -> Tensor:
    """Return the symmetric square root (d, d) of a symmetric matrix without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(S)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


# ------------------------------------------------------------------------------------------ 6.2 Sinkhorn, kernel domain
def sinkhorn(
    a: Tensor, b: Tensor, C: Tensor, eps: float, n_iter: int = 1000, tol: float = 1e-9
) -> tuple[Tensor, Tensor, Tensor, list[float]]:
    r"""Solve entropic optimal transport by scaling rows and columns of the kernel $K = e^{-C/\varepsilon}$.

    One iteration rescales the rows, then the columns, of the plan $P = \mathrm{diag}(u) K \mathrm{diag}(v)$:
    $u \leftarrow a / (K v)$, then $v \leftarrow b / (K^\top u)$.

    This is the version that shows the idea. K underflows when eps is small beside C: then use `sinkhorn_log`.

    Args:
        a: (n,) weights of the rows, positive, sum 1.
        b: (m,) weights of the columns, positive, sum 1.
        C: (n, m) costs.
        eps: regularisation, positive, in units of C.
        n_iter: largest number of iterations (one iteration = rows, then columns).
        tol: stop as soon as the row error $\sum_i | \sum_j P_{ij} - a_i |$ is at most this.

    Returns:
        ``(P, f, g, errors)``: the plan (n, m); the potentials (n,) and (m,), in units of C, such that
        $P_{ij} = e^{(f_i + g_j - C_{ij})/\varepsilon} a_i b_j$ (unique up to f + c, g - c); the row errors
        after the iterations that were looked at, in order (here: after every one).

    Raises:
        ValueError: if eps is not positive (not graded).

    Source: Cuturi (2013), Algorithm 1; Peyre and Cuturi (2019), Eqs. (4.12) and (4.15).
    """
    _require_positive(eps)
    K = torch.exp(-C / eps)  # (n, m), the Gibbs kernel
    u, v = torch.ones_like(a), torch.ones_like(b)
    errors: list[float] = []
    for _ in range(n_iter):
        u = a / (K @ v)  # the row sums of diag(u) K diag(v) are now a ...
        v = b / (K.T @ u)  # ... and now the column sums are b, at the expense of the rows
        errors.append(float((u * (K @ v) - a).abs().sum()))
        if errors[-1] <= tol:
            break
    P = u[:, None] * K * v[None, :]  # (n, m)
    # u and v are scalings of K; the potentials are relative to a b^T, so the weights are taken out.
    return P, eps * torch.log(u / a), eps * torch.log(v / b), errors


# --------------------------------------------------------------------------------------------- 6.3 Sinkhorn, log domain
def sinkhorn_log(
    a: Tensor, b: Tensor, C: Tensor, eps: float, n_iter: int = 1000, tol: float = 1e-9
) -> tuple[Tensor, Tensor, Tensor, list[float]]:
    r"""Solve the same problem on the potentials, with logarithms of sums: finite for every eps > 0.

    One iteration is
    $f_i \leftarrow -\varepsilon \log \sum_j b_j\, e^{(g_j - C_{ij})/\varepsilon}$, then
    $g_j \leftarrow -\varepsilon \log \sum_i a_i\, e^{(f_i - C_{ij})/\varepsilon}$.

    Args:
        a: (n,) weights of the rows, positive, sum 1.
        b: (m,) weights of the columns, positive, sum 1.
        C: (n, m) costs.
        eps: regularisation, positive, in units of C; may be a thousand times smaller than C.
        n_iter: largest number of iterations (one iteration = f, then g).
        tol: stop as soon as the row error $\sum_i | \sum_j P_{ij} - a_i |$ is at most this.

    Returns:
        ``(P, f, g, errors)``, exactly as `sinkhorn`.

    Raises:
        ValueError: if eps is not positive (not graded).

    Source: Peyre and Cuturi (2019), section 4.4 (log-domain iterations), there with potentials that also
    contain the logarithms of the weights.
    """
    _require_positive(eps)
    log_a, log_b = torch.log(a)[:, None], torch.log(b)[None, :]  # (n, 1), (1, m)
    f, g = torch.zeros_like(a), torch.zeros_like(b)
    log_P = _log_plan(f, g, C, eps, log_a, log_b)
    errors: list[float] = []
    for _ in range(n_iter):
        f = -eps * torch.logsumexp(log_b + (g[None, :] - C) / eps, dim=1)  # (n,)
        g = -eps * torch.logsumexp(log_a + (f[:, None] - C) / eps, dim=0)  # (m,)
        log_P = _log_plan(f, g, C, eps, log_a, log_b)
        errors.append(float((log_P.exp().sum(1) - a).abs().sum()))
        if errors[-1] <= tol:
            break
    return log_P.exp(), f, g, errors


def _log_plan(f: Tensor, g: Tensor, C: Tensor, eps: float, log_a: Tensor, log_b: Tensor) -> Tensor:
    """Return the logarithm (n, m) of the plan that belongs to the potentials."""
    return (f[:, None] + g[None, :] - C) / eps + log_a + log_b


def _require_positive(eps: float) -> None:
    if not eps > 0:
        raise ValueError(f"eps must be positive, got {eps}; for eps = 0 use an exact solver")


# ------------------------------------------------------------------------------------------ 6.4 what the solution costs
def transport_cost(P: Tensor, C: Tensor) -> Tensor:
    r"""Return what the plan costs to carry out, $\langle P, C \rangle = \sum_{ij} P_{ij} C_{ij}$, a number.

    With squared distances this is "W2 squared", in squared units of length; no root is taken.

    Args:
        P: (n, m) plan.
        C: (n, m) costs.

    Source: Peyre and Cuturi (2019), Eq. (2.11).
    """
    return (P * C).sum()


def entropic_objective(P: Tensor, C: Tensor, a: Tensor, b: Tensor, eps: float) -> Tensor:
    r"""Return what the regularised problem minimises, a number in units of C.

    $\langle P, C \rangle + \varepsilon\, \mathrm{KL}(P \,|\, a b^\top)$ with
    $\mathrm{KL}(P \,|\, a b^\top) = \sum_{ij} P_{ij} \log \frac{P_{ij}}{a_i b_j}$ in nats and $0 \log 0 = 0$.

    Args:
        P: (n, m) plan with row sums a and column sums b; entries may be zero.
        C: (n, m) costs.
        a: (n,) weights of the rows.
        b: (m,) weights of the columns.
        eps: regularisation, in units of C.

    Source: Feydy et al. (2019), Eq. (1), arXiv:1810.08278; Peyre and Cuturi (2019), section 4.1.
    """
    product = a[:, None] * b[None, :]  # (n, m)
    KL = (torch.xlogy(P, P) - torch.xlogy(P, product)).sum()  # xlogy(0, 0) = 0
    return transport_cost(P, C) + eps * KL


def dual_objective(f: Tensor, g: Tensor, a: Tensor, b: Tensor) -> Tensor:
    r"""Return the dual value $\langle f, a \rangle + \langle g, b \rangle$, a number in units of C.

    The full dual has one more term, -eps * (total mass of the plan of f and g, minus 1). It vanishes after
    every complete Sinkhorn iteration. The dual value is at most the `entropic_objective` of any coupling, and
    equal to it at the solution.

    Args:
        f: (n,) potential.
        g: (m,) potential.
        a: (n,) weights of the rows.
        b: (m,) weights of the columns.

    Source: Peyre and Cuturi (2019), Proposition 4.4.
    """
    return (f * a).sum() + (g * b).sum()


# ----------------------------------------------------------------------------------------- 6.5 a distance to train with
def sinkhorn_divergence(x: Tensor, y: Tensor, eps: float) -> Tensor:
    r"""Return the debiased Sinkhorn divergence between two clouds of equally weighted points.

    $S_\varepsilon(x, y) = \mathrm{OT}_\varepsilon(x, y)
    - \tfrac12 \mathrm{OT}_\varepsilon(x, x) - \tfrac12 \mathrm{OT}_\varepsilon(y, y)$,
    where $\mathrm{OT}_\varepsilon$ is the smallest `entropic_objective` for squared distances and weights 1/n
    and 1/m. It is at least 0, and 0 when the clouds are equal.

    Args:
        x: (n, d) points.
        y: (m, d) points.
        eps: regularisation, in squared units of length.

    Returns:
        One number (0-d tensor), in squared units of length. It can be differentiated with respect to x, and
        the gradient is finite also where points coincide.

    Source: Feydy et al. (2019), Interpolating between Optimal Transport and MMD using Sinkhorn Divergences,
    Eq. (3), arXiv:1810.08278.
    """
    bias = (_smallest_objective(x, x, eps) + _smallest_objective(y, y, eps)) / 2
    return _smallest_objective(x, y, eps) - bias


def _smallest_objective(x: Tensor, y: Tensor, eps: float) -> Tensor:
    """Return OT_eps of two equally weighted clouds, differentiable in both."""
    a = x.new_full((x.shape[0],), 1 / x.shape[0])
    b = y.new_full((y.shape[0],), 1 / y.shape[0])
    C = cost_matrix(x, y)
    # Envelope theorem: at the optimum the value does not move with P to first order, so the plan counts as a
    # constant and no iteration has to be differentiated. Only the explicit C in <P, C> carries the gradient.
    P, _, _, _ = sinkhorn_log(a, b, C.detach(), eps)
    return entropic_objective(P, C, a, b, eps)


# -------------------------------------------------------------------------------------------- 6.6 where each point goes
def barycentric_projection(P: Tensor, y: Tensor, a: Tensor) -> Tensor:
    r"""Return where each x_i is sent on average, $T(x_i) = \frac{1}{a_i} \sum_j P_{ij}\, y_j$.

    Args:
        P: (n, m) plan with row sums a.
        y: (m, d) target points.
        a: (n,) weights of the rows, positive.

    Returns:
        (n, d) points, each in the convex hull of y.

    Source: Peyre and Cuturi (2019), chapter 4 (barycentric projection map).
    """
    return (P @ y) / a[:, None]
