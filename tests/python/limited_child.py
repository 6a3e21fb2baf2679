# SPDX-License-Identifier: MIT
"""Child processes that may take only so much memory and time."""
import os
import resource

SANITIZED = bool(os.environ.get("MGX_SANITIZE"))
# A sanitizer makes programs so many times slower.
SLOWER = 6 if SANITIZED else 1


def limited(size):
    """Arguments of `subprocess` for a child of at most `size` bytes. AddressSanitizer reserves terabytes
    of addresses and keeps what is freed for a while: there a multiple of resident memory is the limit."""
    env = dict(os.environ)
    if SANITIZED:
        given = env.get("ASAN_OPTIONS", "")
        env["ASAN_OPTIONS"] = f"{given}{':' if given else ''}hard_rss_limit_mb={3 * size >> 20}"
        return {"env": env}

    def limits():
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    return {"env": env, "preexec_fn": limits}
