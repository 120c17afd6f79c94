# wrong: every point sends all its mass to one partner | fails: plan/two_by_two, plan/marginals, plan/product_plan, plan/units_and_order, plan/values_of_pot | diagnosis: argmax_plan
import torch


def cost_matrix(x, y, p=2):
    diff = x.unsqueeze(1) - y.unsqueeze(0)
    d2 = (diff * diff).sum(dim=2)
    if p == 2:
        return d2
    return d2 ** (p / 2)


def wasserstein_1d(u, v):
    su, _ = torch.sort(u)
    sv, _ = torch.sort(v)
    return torch.mean(torch.abs(su - sv))


def sqrtm(S):
    w, V = torch.linalg.eigh(S)
    return V @ torch.diag(torch.sqrt(torch.clamp(w, min=0))) @ V.t()


def w2_gaussians(m1, S1, m2, S2):
    R = sqrtm(S1)
    cross = sqrtm(R @ S2 @ R)
    means = torch.sum((m1 - m2) ** 2)
    return means + torch.trace(S1) + torch.trace(S2) - 2 * torch.trace(cross)


def sinkhorn(a, b, C, eps, n_iter=1000, tol=1e-9):
    K = torch.exp(-C / eps)
    v = torch.ones_like(b)
    errors = []
    for it in range(n_iter):
        u = a / (K @ v)
        v = b / (K.t() @ u)
        P = u[:, None] * K * v[None, :]
        err = torch.abs(P.sum(dim=1) - a).sum().item()
        errors.append(err)
        if err <= tol:
            break
    f = eps * torch.log(u) - eps * torch.log(a)
    g = eps * torch.log(v) - eps * torch.log(b)
    best = torch.zeros_like(P)
    best[torch.arange(len(a)), P.argmax(dim=1)] = a
    return best, f, g, errors


def sinkhorn_log(a, b, C, eps, n_iter=1000, tol=1e-9):
    f = torch.zeros_like(a)
    g = torch.zeros_like(b)
    la, lb = torch.log(a), torch.log(b)
    errors = []
    for it in range(n_iter):
        f = -eps * torch.logsumexp((g[None, :] - C) / eps + lb[None, :], dim=1)
        g = -eps * torch.logsumexp((f[:, None] - C) / eps + la[:, None], dim=0)
        P = torch.exp((f[:, None] + g[None, :] - C) / eps + la[:, None] + lb[None, :])
        err = torch.abs(P.sum(dim=1) - a).sum().item()
        errors.append(err)
        if err <= tol:
            break
    return P, f, g, errors


def transport_cost(P, C):
    return torch.sum(P * C)


def entropic_objective(P, C, a, b, eps):
    ab = torch.outer(a, b)
    ratio = torch.where(P > 0, P / ab, torch.ones_like(P))
    return torch.sum(P * C) + eps * torch.sum(P * torch.log(ratio))


def dual_objective(f, g, a, b):
    return torch.dot(f, a) + torch.dot(g, b)


def ot_eps(x, y, eps):
    a = torch.ones(len(x), dtype=x.dtype) / len(x)
    b = torch.ones(len(y), dtype=y.dtype) / len(y)
    C = cost_matrix(x, y)
    with torch.no_grad():
        P, f, g, errors = sinkhorn_log(a, b, C, eps)
    return entropic_objective(P, C, a, b, eps)


def sinkhorn_divergence(x, y, eps):
    return ot_eps(x, y, eps) - 0.5 * ot_eps(x, x, eps) - 0.5 * ot_eps(y, y, eps)


def barycentric_projection(P, y, a):
    return (P @ y) / a[:, None]
