"""What ridge can reach in the set-up of `benches/accuracy`, by other means: numpy, the closed form of every lambda, other draws.

    python benches/accuracy/ridge_reference.py [--draws 200]

Prints the mean correlation with the true activity, under the lambda of generalised cross-validation, and under the one
that the truth itself would choose in each draw, which no way of choosing lambda can beat."""

import argparse

import numpy as np
from scipy.stats import gamma

N, TR_S = 300, 2.0
ROWS = [("spikes", 1, 0.0), ("spikes", 3, 0.0), ("spikes", 10, 0.0), ("blocks", 1, 0.0), ("blocks", 3, 0.0)]
ROWS += [("blocks", 3, 0.4), ("blocks", 10, 0.0), ("AR(1)", 1, 0.4), ("AR(1)", 3, 0.0)]


def response():
    times = np.arange(0.0, 32.1, TR_S)
    values = gamma.pdf(times, 6) - gamma.pdf(times, 16) / 6
    return values / values.max()


def autoregressive(random, rho):
    innovations = random.normal(size=N) * np.sqrt(1 - rho**2)
    value, values = random.normal(), []
    for innovation in innovations:
        values.append(value)
        value = rho * value + innovation
    return np.array(values)


def activity(random, kind):
    if kind == "AR(1)":
        return autoregressive(random, 0.8)
    values = np.zeros(N)
    if kind == "spikes":
        values[random.choice(N, 12, replace=False)] = 1
    else:
        for length in random.integers(6, 16, size=6):
            start = random.integers(0, N - 15)
            values[start : start + length] = 1
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=200)
    draws = parser.parse_args().draws
    kernel = response()
    before = len(kernel) - 1
    forward = np.zeros((N, N + before))  # the first samples are before the run
    for frame in range(N):
        forward[frame, frame : frame + before + 1] = kernel[::-1]
    left, gains, right = np.linalg.svd(forward, full_matrices=False)
    lambdas = gains[0] ** 2 * np.logspace(-8, 3, 133)
    kept = lambdas / (gains[:, None] ** 2 + lambdas)  # direction x lambda
    print("activity  SNR  rho   GCV            best lambda of each draw")
    for kind, snr, rho in ROWS:
        of_gcv, best = [], []
        for draw in range(draws):
            random = np.random.default_rng([draw, snr])
            truth = activity(random, kind)
            signal = forward @ np.r_[np.zeros(before), truth]
            data = signal + autoregressive(random, rho) * np.sqrt(signal.var() / snr)
            along = left.T @ data
            gcv = np.log((kept**2).T @ along**2) - 2 * np.log(kept.sum(axis=0))
            estimates = (right.T @ (along[:, None] / gains[:, None] * (1 - kept)))[before:]
            correlations = np.corrcoef(np.c_[truth, estimates].T)[0, 1:]
            of_gcv.append(correlations[gcv.argmin()])
            best.append(np.nanmax(correlations))
        shown = [f"{np.mean(values):.3f} +- {np.std(values, ddof=1) / draws**0.5:.3f}" for values in (of_gcv, best)]
        print(f"{kind:8} {snr:4} {rho:4}   {shown[0]}  {shown[1]}")


if __name__ == "__main__":
    main()
