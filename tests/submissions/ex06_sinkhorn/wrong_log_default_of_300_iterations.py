# wrong: n_iter is 300 if nothing else is said | fails: log/errors | diagnosis: none
import scipy.linalg
import torch


def cost_matrix(x, y, p=2):
    if p == 2:
        return torch.einsum("ijd,ijd->ij", x[:, None] - y, x[:, None] - y)
    return torch.cdist(x, y, p=2, compute_mode="donot_use_mm_for_euclid_dist").pow(p)


def wasserstein_1d(u, v):
    grid = torch.cat([u, v]).sort()[0]
    Fu = (u[None] <= grid[:-1, None]).to(u.dtype).mean(1)
    Fv = (v[None] <= grid[:-1, None]).to(u.dtype).mean(1)
    return ((Fu - Fv).abs() * grid.diff()).sum()


def w2_gaussians(m1, S1, m2, S2):
    r = scipy.linalg.sqrtm(S1.numpy())
    c = scipy.linalg.sqrtm(r @ S2.numpy() @ r)
    return ((m1 - m2) ** 2).sum() + torch.trace(S1 + S2) - 2 * torch.as_tensor(c.real).trace()


def rounded(P, a, b):
    P = P * torch.clamp(a / P.sum(1), max=1)[:, None]
    P = P * torch.clamp(b / P.sum(0), max=1)[None]
    rows, columns = a - P.sum(1), b - P.sum(0)
    return P + rows[:, None] * columns[None] / rows.sum() if rows.sum() > 0 else P


def sinkhorn(a, b, C, eps, n_iter=1000, tol=1e-9):
    # Gibbs kernel against the reference measure: u, v are exp(f/eps), exp(g/eps) directly
    K = (-C / eps).exp()
    v = torch.ones(len(b), dtype=C.dtype)
    errors = []
    u = None
    for it in range(n_iter):
        u = 1 / (K @ (b * v))
        v = 1 / (K.T @ (a * u))
        row = a * u * (K @ (b * v))
        errors.append((row - a).abs().sum())
        if errors[-1] <= tol:
            break
    P = torch.einsum("i,ij,j->ij", a * u, K, b * v)
    return rounded(P, a, b), eps * torch.log(u), eps * torch.log(v), torch.stack(errors)


def _softmin(eps, M, logw):
    return -eps * torch.logsumexp(logw[None] - M / eps, dim=1)


def sinkhorn_log(a, b, C, eps, n_iter=300, tol=1e-9):
    la, lb = torch.log(a), torch.log(b)
    f = torch.zeros_like(a)
    g = torch.zeros_like(b)
    errors = []
    new_f = _softmin(eps, C - g[None], lb)
    for it in range(n_iter):
        f = new_f
        g = _softmin(eps, C.T - f[None], la)
        new_f = _softmin(eps, C - g[None], lb)
        # row sums are a * exp((f - new_f) / eps): no need for the plan
        err = (a * torch.expm1((f - new_f) / eps)).abs().sum()
        errors.append(err.item())
        if err <= tol:
            break
    logP = (f[:, None] + g[None] - C) / eps + la[:, None] + lb[None]
    P = logP.exp()
    return rounded(P, a, b), f, g, errors


def transport_cost(P, C):
    return torch.vdot(P.flatten(), C.flatten())


def entropic_objective(P, C, a, b, eps):
    ab = a.unsqueeze(1) * b.unsqueeze(0)
    pos = P > 0
    return (P * C).sum() + eps * (P[pos] * (P[pos].log() - ab[pos].log())).sum()


def dual_objective(f, g, a, b):
    return torch.cat([f, g]) @ torch.cat([a, b])


def _ot(x, y, eps):
    n, m = x.shape[0], y.shape[0]
    C = cost_matrix(x, y)
    a = torch.full_like(x[:, 0], 1 / n)
    b = torch.full_like(y[:, 0], 1 / m)
    _, f, g, _ = sinkhorn_log(a, b, C, eps, n_iter=2000)
    return dual_objective(f, g, a, b)


def _ot_self(x, eps):
    n = x.shape[0]
    C = cost_matrix(x, x)
    logw = torch.full_like(x[:, 0], -torch.log(torch.tensor(float(n), dtype=x.dtype)).item())
    with torch.no_grad():
        f = torch.zeros_like(x[:, 0])
        for _ in range(5000):
            new = 0.5 * (f + _softmin(eps, C - f[None], logw))
            done = (new - f).abs().max() < 1e-13 * (1 + C.max())
            f = new
            if done:
                break
    # <f,1/n> * 2 - eps * (mass - 1): its gradient in C is the plan
    mass = torch.exp((f[:, None] + f[None] - C) / eps).sum() / n**2
    return 2 * f.mean() - eps * (mass - 1)


def sinkhorn_divergence(x, y, eps):
    return _ot(x, y, eps) - 0.5 * (_ot_self(x, eps) + _ot_self(y, eps))


def barycentric_projection(P, y, a):
    return torch.softmax(torch.log(P), dim=1) @ y
