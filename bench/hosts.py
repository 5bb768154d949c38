"""A cluster of separate hosts on one machine: each in a network namespace of its own.

    python -m bench.hosts            # as root, on Linux, with iproute2

Scheduler, two workers and the user have addresses of their own, joined by a bridge, and reach each
other over the network only; they share the disk, which holds nothing but the program.  A fit runs
across them; then another one, in whose third iteration a worker's cable is pulled: no process ends,
nobody says goodbye, packets just go nowhere.  Both must give the bits of one machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

HUB = "10.77.0.1"
ADDRESS = f"tcp://{HUB}:8786"
HOSTS = {"om-user": "10.77.0.2", "om-one": "10.77.0.11", "om-two": "10.77.0.12"}
# how soon silence counts as death (11 s is the least that Dask takes); else 30 s and 5 minutes
SETTINGS = {
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "11s",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s",
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "8s",
}


def ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"ip {' '.join(words)}: {done.stderr.strip()} (root is needed)")
    return done.stdout


@contextlib.contextmanager
def hosts() -> Iterator[None]:
    """Network namespaces on a bridge; taken away again in the end."""
    try:
        for name in ("om-hub", *HOSTS):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", "om-hub", "link", "add", "bridge", "type", "bridge")
        ip("-n", "om-hub", "addr", "add", f"{HUB}/24", "dev", "bridge")
        ip("-n", "om-hub", "link", "set", "bridge", "up")
        for name, address in HOSTS.items():
            ip("-n", "om-hub", "link", "add", name, "type", "veth", "peer", "eth0", "netns", name)
            ip("-n", "om-hub", "link", "set", name, "master", "bridge", "up")
            ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
        yield
    finally:
        for name in ("om-hub", *HOSTS):
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


def start(host: str, *words: str) -> subprocess.Popen[bytes]:
    command = ["ip", "netns", "exec", host, sys.executable, "-m", *words]
    quiet = subprocess.DEVNULL if words[0] == "dask" else None
    return subprocess.Popen(command, env={**os.environ, **SETTINGS}, stderr=quiet)


def main() -> int:
    options = ["--no-dashboard"]
    with hosts():
        running = [start("om-hub", "dask", "scheduler", "--host", HUB, "--port", "8786", *options)]
        try:
            options += ["--nthreads", "1", "--no-nanny", "--memory-limit", "0"]
            for host in ("om-one", "om-two"):
                place = ["--host", HOSTS[host], *options]
                running.append(start(host, "dask", "worker", ADDRESS, *place))
            user = start("om-user", "bench.hosts", "user")
            running.append(user)
            return user.wait(timeout=240)
        finally:
            for process in running:
                process.kill()
                process.wait(timeout=10)


def user() -> None:
    """What the user runs, on a host of their own."""
    import dask.array as da

    import omnimeans as om
    from distributed import Client

    rng = np.random.default_rng(0)
    X = (rng.normal(0, 2, (20, 16))[rng.integers(0, 20, 200_000)]).astype(np.float32)
    X += rng.standard_normal(X.shape, dtype=np.float32)
    how: dict[str, Any] = {"n_clusters": 32, "random_state": 0, "max_iter": 12, "tol": 0.0}
    whole = om.KMeans(**how).fit(X)
    with Client(ADDRESS, timeout=60) as client:
        client.wait_for_workers(2, timeout=60)
        print("workers:", ", ".join(client.nthreads()))
        warnings.filterwarnings("ignore", "Sending large graph")  # the rows, this once
        rows = da.from_array(X, chunks=(20_000, -1))
        report("two hosts", whole, *timed(om.KMeans(**how), rows))

        def pull(progress: Any) -> None:
            if progress.iteration == 2 and up("om-two"):
                ip("-n", "om-hub", "link", "set", "om-two", "down")

        report("one cable pulled", whole, *timed(om.KMeans(**how, callback=pull), rows))
        print("workers left:", ", ".join(client.nthreads()), flush=True)
        os._exit(0)  # a worker that is out of reach is not waited for


def up(name: str) -> bool:
    return "UP" in json.loads(ip("-n", "om-hub", "-j", "link", "show", name))[0]["flags"]


def sent() -> dict[str, int]:
    """Bytes that each host has sent."""
    shown = json.loads(ip("-n", "om-hub", "-j", "-s", "link"))
    return {each["ifname"]: each["stats64"]["rx"]["bytes"] for each in shown}


def timed(model: Any, rows: Any) -> tuple[Any, float, dict[str, int]]:
    before, begin = sent(), time.perf_counter()
    model.fit(rows)
    seconds, after = time.perf_counter() - begin, sent()
    return model, seconds, {name: after[name] - before[name] for name in HOSTS}


def report(title: str, whole: Any, model: Any, seconds: float, traffic: dict[str, int]) -> None:
    same = (
        model.cluster_centers_.tobytes() == whole.cluster_centers_.tobytes()
        and np.array_equal(model.labels_, whole.labels_)
        and model.inertia_ == whole.inertia_
        and model.n_iter_ == whole.n_iter_
    )
    longest = max(step.seconds for step in model.history_)
    megabytes = ", ".join(f"{name} {count / 1e6:.1f}" for name, count in traffic.items())
    print(f"{title}: engine {model.engine_}, {seconds:.1f} s, longest iteration {longest:.1f} s")
    print(f"  MB sent: {megabytes}")
    print(f"  same bits as one machine: {same}", flush=True)
    if not same or model.engine_ != "dask":
        os._exit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", nargs="?", choices=["user"], help=argparse.SUPPRESS)
    user() if parser.parse_args().what else sys.exit(main())
