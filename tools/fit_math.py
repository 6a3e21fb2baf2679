#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the polynomial coefficients of src/targets/cpu/kernels/vec_math.hpp.

Each is a minimax fit (Lawson's reweighted least squares) whose coefficients are rounded to float one
after the other, lowest order first, the rest being fitted again each time. Needs numpy.
"""
import math

import numpy as np


def fit(name, f, lo, hi, degree, weight):
    """Minimises max |weight(x) * (p(x) - f(x))| over [lo, hi]."""
    k = np.arange(4000)
    x = (lo + hi) / 2 + (hi - lo) / 2 * np.cos((k + 0.5) * np.pi / 4000)
    y = np.array([f(v) for v in x])
    w = np.array([weight(v) for v in x])
    fixed = []
    while len(fixed) <= degree:
        n = degree + 1 - len(fixed)
        rest = y - sum(c * x**i for i, c in enumerate(fixed)) if fixed else y
        basis = np.stack([x ** (i + len(fixed)) for i in range(n)], axis=1)
        lawson = np.ones_like(x)
        best, best_error = None, math.inf
        for _ in range(60):
            s = np.sqrt(lawson) * w
            scale = np.abs(basis * s[:, None]).max(axis=0)
            c, *_ = np.linalg.lstsq(basis * s[:, None] / scale, rest * s, rcond=None)
            c = c / scale
            error = np.abs(w * (basis @ c - rest))
            if error.max() < best_error:
                best, best_error = c, error.max()
            lawson = lawson * (error / error.max() + 1e-3)
            lawson /= lawson.mean()
        fixed.append(float(np.float32(best[0])))
    p = sum(c * x**i for i, c in enumerate(fixed))
    print(f"{name}: weighted error {np.abs(w * (p - y)).max():.2e} = 2^{math.log2(np.abs(w * (p - y)).max()):.1f}")
    print("  " + ", ".join(f"{c:.9g}f" for c in reversed(fixed)))


def series(f, small, limit=1e-3):
    """f, replaced by its series `small` where cancellation would eat its digits."""
    return lambda v: small(v) if abs(v) < limit else f(v)


half_ln2 = math.log(2) / 2 * 1.0001
fit("exp: (exp(r) - 1 - r) / r^2", series(lambda r: (math.expm1(r) - r) / r**2, lambda r: 0.5 + r / 6 + r * r / 24 + r**3 / 120, 0.02),
    -half_ln2, half_ln2, 4, lambda r: r**2 / math.exp(r))
fit("expm1: (expm1(x) - x) / x^2", series(lambda r: (math.expm1(r) - r) / r**2, lambda r: 0.5 + r / 6 + r * r / 24 + r**3 / 120 + r**4 / 720 + r**5 / 5040, 0.05),
    -0.5, 0.5, 5, lambda r: r**2 / abs(math.expm1(r)) if r else 0)
fit("log: (log1p(f) - f + f^2/2) / f^3",
    series(lambda f: (math.log1p(f) - f + f * f / 2) / f**3, lambda f: sum((-1) ** k * f**k / (k + 3) for k in range(12)), 0.05),
    math.sqrt(0.5) - 1, math.sqrt(2) - 1, 7, lambda f: abs(f**3 / math.log1p(f)) if f else 0)
fit("erf, |x| < 0.92: erf(x) / x - 1 in x^2", series(lambda s: math.erf(math.sqrt(s)) / math.sqrt(s) - 1, lambda s: 2 / math.sqrt(math.pi) * (1 - s / 3 + s * s / 10) - 1, 1e-4),
    0, 0.93**2, 5, lambda s: 1)
fit("erf, |x| from 0.92: -log(erfc(t)) / t", lambda t: -math.log(math.erfc(t)) / t,
    0.91, 4.0, 6, lambda t: t * math.erfc(t) / math.erf(t))
fit("tanh, |x| < 0.6: (tanh(x) / x - 1) / x^2 in x^2",
    series(lambda s: (math.tanh(math.sqrt(s)) / math.sqrt(s) - 1) / s, lambda s: -1 / 3 + 2 * s / 15 - 17 * s * s / 315 + 62 * s**3 / 2835 - 1382 * s**4 / 155925, 0.01),
    0, 0.61**2, 4, lambda s: s)
fit("sin: (sin(r) / r - 1) / r^2 in r^2",
    series(lambda s: (math.sin(math.sqrt(s)) / math.sqrt(s) - 1) / s, lambda s: -1 / 6 + s / 120 - s * s / 5040 + s**3 / 362880, 0.01),
    0, (math.pi / 4 * 1.001) ** 2, 3, lambda s: s)
fit("cos: (cos(r) - 1 + r^2/2) / r^4 in r^2",
    series(lambda s: (math.cos(math.sqrt(s)) - 1 + s / 2) / s**2, lambda s: 1 / 24 - s / 720 + s * s / 40320 - s**3 / 3628800, 0.05),
    0, (math.pi / 4 * 1.001) ** 2, 2, lambda s: s * s)
