# wrong: every function returns its first argument or zeros, in the right shape | fails: velocity/shifted_cloud, velocity/two_by_two, velocity/unequal_sizes, velocity/without_debiasing, velocity/far_away, velocity/slow_problem, step/without_transport, step/given_noise, step/fresh_noise, maps/cheapest_matching, maps/increasing, maps/given_plan, maps/constant_speed, metrics/path_length, metrics/energy, metrics/sliced_on_a_line, metrics/sliced_of_rings, noised/gradient_of_blurred_density, noised/scales, noised/far_away | diagnosis: step_without_noise

import math

import torch


def ot_velocity(x, y, eps, debias=True):
    return torch.zeros_like(x)


def score_ot_step(x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    return x.clone()


def morph(x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    return x0.repeat(n_steps + 1, 1, 1) if return_traj else x0.clone()


def displacement_interpolation(x, y, P, t):
    return x.clone()


def exact_ot_map_1d(x, y):
    return x.clone()


def morph_metrics(traj, y):
    return {"sliced_w": 0.0, "path_length": 0.0, "energy": 0.0}


def noised_score(x, y, sigma):
    return torch.zeros_like(x)
