# SPDX-License-Identifier: MIT
"""Worker processes that survive what the cases do: one that dies or hangs fails only its case."""
from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import time


# A kernel that failed leaves its process without a device (targets/gpu/device/driver_api.cpp).
DEVICE_LOST = "cannot use the device any more"


class Worker:
    """A forked process that runs `work(item)` for each item sent to it."""

    def __init__(self, work):
        context = multiprocessing.get_context("fork")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, work), daemon=True)
        self.process.start()
        theirs.close()
        self.item, self.begun = None, 0.0

    def start(self, item) -> None:
        self.item, self.begun = item, time.monotonic()
        self.pipe.send(item)

    def end(self) -> str:
        """Stops the process; how it had ended before."""
        self.process.join(0.5)
        code = self.process.exitcode
        if code is None:
            self.process.kill()
            self.process.join()
        self.pipe.close()
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"ended with {code}"


def serve(pipe, work) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(os.devnull, "w") as nothing:  # what the engine writes is not the report
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    while True:
        try:
            item = pipe.recv()
        except EOFError:
            return
        try:
            work(item)
            error = ""
        except BaseException as e:  # noqa: BLE001: whatever it is, it belongs to this case
            error = str(e) or type(e).__name__
        pipe.send(error)


def run_all(items: list, work, jobs: int, limit: float):
    """Yields (item, error, seconds) as they come; error is empty where work(item) returned."""
    waiting = list(reversed(items))
    workers: list[Worker] = []
    try:
        while waiting or any(w.item is not None for w in workers):
            while len(workers) < min(jobs, len(items)):
                workers.append(Worker(work))
            for w in workers:
                if w.item is None and waiting:
                    w.start(waiting.pop())
            busy = [w for w in workers if w.item is not None]
            next_limit = min(w.begun for w in busy) + limit - time.monotonic()
            ready = multiprocessing.connection.wait([w.pipe for w in busy], max(0.0, next_limit))
            for w in busy:
                seconds = time.monotonic() - w.begun
                if w.pipe in ready:
                    try:
                        error = w.pipe.recv()
                        if DEVICE_LOST in error:  # what follows would fail in this process
                            w.process.kill()
                            w.end()
                            workers.remove(w)
                        yield w.item, error, seconds
                    except (EOFError, ConnectionResetError):
                        yield w.item, f"crash: the process was {w.end()}", seconds
                        workers.remove(w)
                elif seconds > limit:
                    w.end()
                    yield w.item, f"hang: more than {limit:.0f} s", seconds
                    workers.remove(w)
                w.item = None if w.pipe in ready else w.item
    finally:
        for w in workers:
            w.process.kill()
