# right: numpy throughout, numpy arrays returned; torch only where a gradient is due
import numpy as np
import torch
from scipy.special import logsumexp, rel_entr


def npy(t):
    return t.detach().numpy() if isinstance(t, torch.Tensor) else np.asarray(t)


def cost_matrix(x, y, p=2):
    x, y = npy(x), npy(y)
    return np.linalg.norm(x[:, None] - y[None], axis=-1) ** p


def wasserstein_1d(u, v):
    return np.abs(np.sort(npy(u)) - np.sort(npy(v))).mean()


def w2_gaussians(m1, S1, m2, S2):
    m1, S1, m2, S2 = map(npy, (m1, S1, m2, S2))
    # eigenvalues of the product are those of the symmetric form
    roots = np.sqrt(np.maximum(np.linalg.eigvals(S1 @ S2).real, 0))
    return float(((m1 - m2) ** 2).sum() + np.trace(S1 + S2) - 2 * roots.sum())


def sinkhorn(a, b, C, eps, n_iter=1000, tol=1e-9):
    a, b, C = npy(a), npy(b), npy(C)
    K = np.exp(-C / eps)
    v = b.copy()
    errors = []
    for _ in range(n_iter):
        u = a / K.dot(v)
        v = b / K.T.dot(u)
        errors.append(np.abs(u * K.dot(v) - a).sum())
        if errors[-1] <= tol:
            break
    return u[:, None] * K * v, eps * np.log(u / a), eps * np.log(v / b), np.array(errors)


def sinkhorn_log(a, b, C, eps, n_iter=1000, tol=1e-9):
    a, b, C = npy(a), npy(b), npy(C)
    g = np.zeros(len(b))
    errors = []
    for _ in range(n_iter):
        f = -eps * logsumexp((g - C) / eps, b=b, axis=1)
        g = -eps * logsumexp((f[:, None] - C) / eps, b=a[:, None], axis=0)
        P = np.outer(a, b) * np.exp((f[:, None] + g - C) / eps)
        errors.append(np.abs(P.sum(1) - a).sum())
        if errors[-1] <= tol:
            break
    return P, f, g, np.array(errors)


def transport_cost(P, C):
    return float(np.vdot(npy(P), npy(C)))


def entropic_objective(P, C, a, b, eps):
    return transport_cost(P, C) + eps * float(rel_entr(npy(P), np.outer(npy(a), npy(b))).sum())


def dual_objective(f, g, a, b):
    return float(npy(f) @ npy(a) + npy(g) @ npy(b))


def smallest(x, y, eps):
    a, b = np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y))
    P, _, _, _ = sinkhorn_log(a, b, cost_matrix(x, y), eps)
    C = ((x[:, None] - y[None]) ** 2).sum(-1)
    return (torch.as_tensor(P) * C).sum() + eps * rel_entr(P, np.outer(a, b)).sum()


def sinkhorn_divergence(x, y, eps):
    return smallest(x, y, eps) - smallest(x, x, eps) / 2 - smallest(y, y, eps) / 2


def barycentric_projection(P, y, a):
    P = npy(P)
    return P @ npy(y) / P.sum(1, keepdims=True)
