"""What the refitted sparse estimates can reach in the set-up of `benches/accuracy`, by other means: scikit-learn's LASSO path, other draws.

    python benches/accuracy/sparse_reference.py [--draws 200]

Prints the mean correlation with the true activity of the least-squares refit of the support that the Bayesian information
criterion chooses among those of the path, and of the one that the truth itself would choose in each draw, which no criterion
on this path can beat. Noise is taken to be white. Supports of more than half the frames are left out: near as many coefficients
as frames, RSS goes to zero, and the criterion with it."""

import argparse
import warnings

import numpy as np
from ridge_reference import N, ROWS, activity, autoregressive, response
from sklearn.linear_model import lars_path

STEPS = 200  # of the path; the criterion's least is far before, but for activity that is not sparse


class Path:
    """Supports of the LASSO path, and their refits."""

    def __init__(self, forward, changes):
        design = np.cumsum(forward[:, ::-1], axis=1)[:, ::-1] if changes else forward
        self.changes, self.n_samples = changes, forward.shape[1]
        squares = (design**2).sum(axis=0)
        self.seen = np.flatnonzero(squares > 1e-12 * squares.max())  # the last sample leaves no trace: h(0) = 0
        self.design = design[:, self.seen]
        self.gram = self.design.T @ self.design

    def supports(self, data):
        products = self.design.T @ data
        _, _, path = lars_path(
            self.design, data, Xy=products, Gram=self.gram.copy(), method="lasso", max_iter=STEPS, copy_X=True
        )
        supports = [np.flatnonzero(values) for values in path.T]
        return products, [support for support in supports if len(support) <= N // 2]

    def refits(self, data):
        """Activity and criterion of each support."""
        products, supports = self.supports(data)
        for support in supports:
            values = np.linalg.solve(self.gram[np.ix_(support, support)], products[support])
            residuals = data - self.design[:, support] @ values
            samples = np.zeros(self.n_samples)
            samples[self.seen[support]] = values
            criterion = N * np.log(residuals @ residuals / N) + len(support) * np.log(N)
            yield np.cumsum(samples) if self.changes else samples, criterion


def correlation(estimate, truth):
    return np.corrcoef(estimate, truth)[0, 1] if estimate.std() > 0 else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=200)
    draws = parser.parse_args().draws
    warnings.simplefilter("ignore")  # of the path: coefficients that depend on others are left out of it
    kernel = response()
    before = len(kernel) - 1
    forward = np.zeros((N, N + before))  # the first samples are before the run
    for frame in range(N):
        forward[frame, frame : frame + before + 1] = kernel[::-1]
    paths = [Path(forward, changes) for changes in (False, True)]
    print("activity  SNR  rho   spikes: BIC       best support      blocks: BIC       best support")
    for kind, snr, rho in ROWS:
        results = np.zeros((draws, 4))
        for draw in range(draws):
            random = np.random.default_rng([draw, snr])
            truth = activity(random, kind)
            signal = forward @ np.r_[np.zeros(before), truth]
            data = signal + autoregressive(random, rho) * np.sqrt(signal.var() / snr)
            for shape, path in enumerate(paths):
                estimates, criteria = zip(*path.refits(data))
                correlations = [correlation(estimate[before:], truth) for estimate in estimates]
                results[draw, 2 * shape : 2 * shape + 2] = correlations[np.argmin(criteria)], max(correlations)
        means, errors = results.mean(axis=0), results.std(axis=0, ddof=1) / draws**0.5
        shown = "  ".join(f"{mean:.4f} +- {error:.4f}" for mean, error in zip(means, errors))
        print(f"{kind:8} {snr:4} {rho:4}   {shown}", flush=True)


if __name__ == "__main__":
    main()
