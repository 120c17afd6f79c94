# right: plain loops over points and rows, lists of numbers returned
import math

import torch


def cost_matrix(x, y, p=2):
    return [[math.dist(xi, yj) ** p for yj in y.tolist()] for xi in x.tolist()]


def wasserstein_1d(u, v):
    return sum(abs(s - t) for s, t in zip(sorted(u.tolist()), sorted(v.tolist()))) / len(u)


def w2_gaussians(m1, S1, m2, S2):
    # Denman and Beavers' iteration for the root of S1 S2
    Y, Z = S1 @ S2, torch.eye(len(m1), dtype=S1.dtype)
    for _ in range(60):
        Y, Z = (Y + torch.linalg.inv(Z)) / 2, (Z + torch.linalg.inv(Y)) / 2
    total = 0.0
    for i in range(len(m1)):
        total += float((m1[i] - m2[i]) ** 2 + S1[i, i] + S2[i, i] - 2 * Y[i, i])
    return total


def sinkhorn(a, b, C, eps, n_iter=1000, tol=1e-9):
    a, b, C = a.tolist(), b.tolist(), C.tolist()
    n, m = len(a), len(b)
    K = [[math.exp(-C[i][j] / eps) for j in range(m)] for i in range(n)]
    u, v = [1.0] * n, [1.0] * m
    errors = []
    for _ in range(n_iter):
        for i in range(n):
            u[i] = a[i] / sum(K[i][j] * v[j] for j in range(m))
        for j in range(m):
            v[j] = b[j] / sum(K[i][j] * u[i] for i in range(n))
        errors.append(sum(abs(u[i] * sum(K[i][j] * v[j] for j in range(m)) - a[i]) for i in range(n)))
        if errors[-1] <= tol:
            break
    P = [[u[i] * K[i][j] * v[j] for j in range(m)] for i in range(n)]
    return P, [eps * math.log(u[i] / a[i]) for i in range(n)], [eps * math.log(v[j] / b[j]) for j in range(m)], errors


def sinkhorn_log(a, b, C, eps, n_iter=1000, tol=1e-9):
    n, m = C.shape
    f, g = torch.zeros(n, dtype=C.dtype), torch.zeros(m, dtype=C.dtype)
    errors = []
    for _ in range(n_iter):
        for i in range(n):
            f[i] = -eps * torch.logsumexp(b.log() + (g - C[i]) / eps, 0)
        for j in range(m):
            g[j] = -eps * torch.logsumexp(a.log() + (f - C[:, j]) / eps, 0)
        P = torch.stack([a[i] * b * torch.exp((f[i] + g - C[i]) / eps) for i in range(n)])
        errors.append(sum(abs(P[i].sum() - a[i]) for i in range(n)))
        if errors[-1] <= tol:
            break
    return P, f, g, errors


def transport_cost(P, C):
    return sum(p * c for row, costs in zip(P.tolist(), C.tolist()) for p, c in zip(row, costs))


def entropic_objective(P, C, a, b, eps):
    total = 0
    for i in range(len(a)):
        for j in range(len(b)):
            if P[i, j] > 0:
                total = total + P[i, j] * C[i, j] + eps * P[i, j] * torch.log(P[i, j] / (a[i] * b[j]))
    return total


def dual_objective(f, g, a, b):
    return sum(p * w for p, w in zip(f.tolist(), a.tolist())) + sum(p * w for p, w in zip(g.tolist(), b.tolist()))


def regularised(x, y, eps):
    a = torch.tensor([1 / len(x)] * len(x), dtype=x.dtype)
    b = torch.tensor([1 / len(y)] * len(y), dtype=x.dtype)
    C = torch.stack([((x[i] - y) ** 2).sum(-1) for i in range(len(x))])
    P, f, g, _ = sinkhorn_log(a, b, C.detach(), eps)
    return entropic_objective(P, C, a, b, eps)


def sinkhorn_divergence(x, y, eps):
    return regularised(x, y, eps) - regularised(x, x, eps) / 2 - regularised(y, y, eps) / 2


def barycentric_projection(P, y, a):
    return [[sum(P[i, j] * y[j, k] for j in range(len(y))) / a[i] for k in range(y.shape[1])] for i in range(len(a))]
