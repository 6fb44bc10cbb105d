"""Tails of t and F and the z of equal tail probability, to 50 digits (mpmath 1.x), for the unit tests of `inference`.

Run from the repository's root: python scripts/expectations/distributions.py > tests/expectations/distributions.tsv
"""
import mpmath as mp

mp.mp.dps = 50


def positive_series(a, b, x):
    """2F1(a + b, 1; a + 1; x), summed term by term: all terms are positive."""
    total, term, n = mp.mpf(0), mp.mpf(1), 0
    while term > total * mp.mpf(10) ** -55:
        total += term
        term *= (a + b + n) / (a + 1 + n) * x
        n += 1
    return total


def ln_tail(a, b, w):
    """Logarithm of I_x(a, b) at x = 1 / (1 + w)."""
    a, b, w = mp.mpf(a), mp.mpf(b), mp.mpf(w)
    x, rest = 1 / (1 + w), w / (1 + w)
    if x <= (a + 1) / (a + b + 2):
        return a * mp.log(x) + b * mp.log(rest) - mp.log(mp.beta(a, b)) - mp.log(a) + mp.log(
            positive_series(a, b, x)
        )
    return mp.log1p(-mp.exp(ln_tail(b, a, 1 / w)))


def z_of(ln_p):
    """z >= 0 with ln P(Z > z) = ln_p."""
    start = mp.sqrt(max(-2 * ln_p - mp.log(2 * mp.pi) - mp.log(max(-2 * ln_p, 1)), mp.mpf("0.01")))
    log_tail = lambda z: mp.log(mp.erfc(z / mp.sqrt(2)) / 2) - ln_p
    return mp.findroot(log_tail, start, tol=mp.mpf(10) ** -80, maxsteps=200)


def show(*cells):
    print("\t".join(c if isinstance(c, str) else mp.nstr(mp.mpf(c), 20) for c in cells))


print("# mpmath, 50 digits, by scripts/expectations/distributions.py; numbers with 20 digits")
print("kind\tnumerator_dof\tdof\tstatistic\tln_upper\tz")
for dof in ("1", "3.7", "10", "68", "324", "5000", "100000"):
    for t in ("1e-8", "0.001", "0.1", "0.7", "1", "2", "3.5", "8", "20", "40", "150", "900"):
        ln_upper = ln_tail(mp.mpf(dof) / 2, mp.mpf(1) / 2, mp.mpf(t) ** 2 / mp.mpf(dof)) - mp.log(2)
        show("t", "1", dof, t, ln_upper, z_of(ln_upper))
for q in ("1", "2", "7", "48"):
    for dof in ("10", "108", "324", "5000"):
        for f in ("1e-6", "0.01", "0.3", "0.9", "1", "1.1", "2.5", "12", "90", "400", "2e4"):
            a, b = mp.mpf(dof) / 2, mp.mpf(q) / 2
            w = mp.mpf(q) * mp.mpf(f) / mp.mpf(dof)
            ln_upper, ln_lower = ln_tail(a, b, w), ln_tail(b, a, 1 / w)
            z = z_of(ln_upper) if ln_upper <= -mp.log(2) else -z_of(ln_lower)
            show("F", q, dof, f, ln_upper, z)
