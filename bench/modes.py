"""What can be measured: a table of modes, each yielding the rows of one workload at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import fmean as mean
from statistics import median, stdev

from bench import measure
from bench.measure import Prepared, Process, Timing, Turn
from bench.peers import LIBRARIES, OWN, UNPRUNED, Library
from bench.records import Peak, Row
from bench.workloads import Workload

OPERATIONS = {"euclidean": 2, "manhattan": 3}  # per row, centre and column


MOST_FEATURES = 64  # that a tree is made for
NOISY = 1.5  # a row whose slowest sample is so many times its fastest says so


@dataclass(frozen=True)
class Settings:
    """How much to measure."""

    libraries: list[Library]
    threads: int = 1
    pairs: int = 5
    seeds: int = 5


def iterations(workload: Workload, settings: Settings) -> list[Row]:
    """Time one Lloyd iteration (or one whole call) of every library, taking turns."""
    if workload.action == "lloyd":  # omnimeans without a skipped distance, beside its peers
        peers = [library for library in settings.libraries if not library.own]
        settings = replace(settings, libraries=_unpruned(workload) + peers)
    with measure.prepared(workload) as data:
        installed, absent = _split(settings, workload)
        with measure.started(installed, data, [settings.threads]) as processes:
            turn, unit = _turn(workload)
            seeded = workload.action == "cluster"
            timings = measure.take_turns(
                processes, settings.pairs, turn, judge=_judge(data) if seeded else None
            )
            rows = [_row(data, timing, unit) for timing in timings]
        return _with_ratios(rows + _absent(absent, workload, settings, unit))


def threads(workload: Workload, settings: Settings) -> list[Row]:
    """Time omnimeans with one thread and with two, taking turns; the results must be the same."""
    counts = [1, max(2, settings.threads)]
    turn, unit = _turn(workload)
    with (
        measure.prepared(workload) as data,
        measure.started([LIBRARIES["omnimeans"]], data, counts) as processes,
    ):
        timings = measure.take_turns(processes, settings.pairs, turn)
        rows = [_row(data, timing, unit) for timing in timings]
    same = rows[0].digest == rows[1].digest
    if rows[0].digest and not same:
        rows[1] = replace(rows[1], note="DIFFERENT RESULT from one thread")
    return _with_ratios(rows, rows[0])


def seeding(workload: Workload, settings: Settings) -> list[Row]:
    """Time greedy k-means++ alone, over several seeds; `inertia` is the mean potential."""
    with measure.prepared(workload) as data:
        able, absent = _split(settings, workload, "seed")
        with measure.started(able, data, [settings.threads], "seed") as processes:
            timings = measure.take_turns(
                processes, settings.seeds, measure.one_call, judge=_judge(data)
            )
            rows = [_row(data, timing, "seeding") for timing in timings]
    base = timings[0].inertias
    rows = [
        replace(row, note=_paired(timing.inertias, base))
        if timing.inertias and not timing.error
        else row
        for row, timing in zip(rows, timings, strict=True)
    ]
    return _with_ratios(rows + _absent(absent, workload, settings, "seeding"))


def fits(workload: Workload, settings: Settings) -> list[Row]:
    """Time whole fits to convergence (300 iterations at most) from the same rows."""
    with measure.prepared(workload) as data:
        installed, absent = _split(settings, workload)
        # faiss has no stopping rule: its whole fit would always be 300 iterations
        installed = [library for library in installed if library.name != "faiss"]
        with measure.started(installed, data, [settings.threads]) as processes:
            timings = measure.take_turns(
                processes, settings.pairs, measure.one_fit(300), least=20.0
            )
            rows = [_row(data, timing, "fit") for timing in timings]
        return _with_ratios(rows + _absent(absent, workload, settings, "fit"))


def short(workload: Workload, settings: Settings) -> list[Row]:
    """Time twelve iterations from the same rows, with everything that a library makes ready."""
    with measure.prepared(workload) as data:
        installed, absent = _split(settings, workload)
        with measure.started(installed, data, [settings.threads]) as processes:
            timings = measure.take_turns(processes, settings.pairs, measure.one_fit(12))
            rows = [_row(data, timing, "fit") for timing in timings]
        return _with_ratios(rows + _absent(absent, workload, settings, "fit"))


def growth(workload: Workload, settings: Settings) -> list[Row]:
    """Time fits of omnimeans, its brute force and scikit-learn on one point of a curve."""
    some = [LIBRARIES[name] for name in (OWN, f"{OWN}-brute", "sklearn")]
    with (
        measure.prepared(workload) as data,
        measure.started(some, data, [settings.threads]) as processes,
    ):
        rounds = min(3, settings.pairs)
        timings = measure.take_turns(processes, rounds, measure.one_fit(20), least=3.0)
        rows = [_row(data, timing, "fit") for timing in timings]
    return _with_ratios(rows)


def variants(workload: Workload, settings: Settings) -> list[Row]:
    """Time fits of omnimeans with each of its variants, and with "auto"."""
    wide, deep = workload.features > 8, workload.features > MOST_FEATURES
    left_out = ("bounded-coded", "coded") if not wide else ("tree",) if deep else ()
    own = [row for row in LIBRARIES.values() if row.own]
    own = [row for row in own if row.name.removeprefix(f"{OWN}-") not in left_out]
    with (
        measure.prepared(workload) as data,
        measure.started(own, data, [settings.threads]) as processes,
    ):
        timings = measure.take_turns(processes, settings.pairs, measure.one_fit(60), least=10.0)
        rows = [_row(data, timing, "fit") for timing in timings]
    digests = {row.digest for row in rows}
    if len(digests) > 1:
        rows = [replace(row, note="DIFFERENT RESULT from one another") for row in rows]
    return _with_ratios(rows)


def _unpruned(workload: Workload) -> list[Library]:
    """Return the variants of omnimeans that are brute force, where they make sense."""
    names = UNPRUNED if workload.features > 8 and workload.metric == "euclidean" else UNPRUNED[:1]
    return [LIBRARIES[f"{OWN}-{name}"] for name in names]


def _turn(workload: Workload) -> tuple[Turn, str]:
    """Return what one turn of a library is, and what the resulting seconds are for."""
    if workload.action == "lloyd":
        return measure.pair_of_fits(workload.few, workload.many), "iteration"
    return measure.one_call, "call"


def _split(
    settings: Settings, workload: Workload, action: str | None = None
) -> tuple[list[Library], list[Library]]:
    """Return the libraries that do this job: those installed, and those not."""
    able = [
        library
        for library in settings.libraries
        if library.takes(action or workload.action, workload.dtype, workload.metric)
    ]
    return [x for x in able if x.installed], [x for x in able if not x.installed]


def _blank(workload: Workload, library: str, threads: int, unit: str, d: int, note: str) -> Row:
    return Row(
        workload.key, workload.title, workload.n, d, workload.k, workload.dtype, library,
        threads, unit, workload.metric, note=note,
    )  # fmt: skip


def _absent(
    libraries: list[Library], workload: Workload, settings: Settings, unit: str
) -> list[Row]:
    return [
        _blank(workload, library.name, settings.threads, unit, 0, "not installed")
        for library in libraries
    ]


def without_data(workload: Workload, settings: Settings, reason: str) -> list[Row]:
    """Return the one row of a workload whose data is not here."""
    return [_blank(workload, "", settings.threads, "", 0, f"absent: {reason}")]


def _row(data: Prepared, timing: Timing, unit: str) -> Row:
    """Make the row of one library from its samples and its last reply."""
    workload, process = data.workload, timing.process
    n, d = data.X.shape
    row = _blank(workload, process.library.name, process.threads, unit, d, "")
    if timing.error:
        return replace(row, note=f"failed: {timing.error}")
    done, redecided = timing.last.get("n_iter"), timing.last.get("redecided")
    row = replace(
        row,
        samples=timing.samples,
        iterations=done,
        inertia=mean(timing.inertias) if timing.inertias else _inertia(data, process),
        redecided=None if redecided is None or not done else redecided / (done * n),
        compared=timing.last.get("compared"),
        digest=timing.last.get("digest"),
    )
    if not timing.samples:
        return replace(row, note="converged too early to be timed")
    seconds = median(timing.samples)
    if seconds <= 0.0:
        return replace(row, note="too short to be timed")
    operations = OPERATIONS[workload.metric] * _rows_compared(workload, unit, done) * d * workload.k
    return replace(
        row,
        seconds=seconds,
        gflops=operations / seconds / 1e9 if operations else None,
        note=_steadiness(timing.samples),
    )


def _inertia(data: Prepared, process: Process) -> float | None:
    centers = process.centers()
    return None if centers is None else measure.inertia(data.X, centers, data.workload.metric)


def _judge(data: Prepared) -> Callable[[Process], float]:
    """Return what works out the inertia after each turn, where every turn has its own seed."""
    return lambda process: _inertia(data, process) or 0.0


def _rows_compared(workload: Workload, unit: str, n_iter: int | None) -> int:
    """How many rows one unit compares with all centres; 0 where that is not known."""
    if workload.action in ("predict", "transform"):
        return 0 if workload.one_row else workload.n
    return {"iteration": workload.n, "fit": workload.n * (n_iter or 0)}.get(unit, 0)


def _steadiness(samples: list[float]) -> str:
    if len(samples) == 1:
        return "one sample"
    return "noisy" if min(samples) < max(samples) / NOISY else ""


def with_shares(rows: list[Row], peak: Peak | None) -> list[Row]:
    """Fill in the share of the peak that belongs to each row's metric, dtype and threads."""
    if peak is None:
        return rows
    tables = {"euclidean": peak.fma, "manhattan": peak.l1}
    return [
        replace(row, share=row.gflops / row.threads / (tables[row.metric][row.dtype] / peak.cores))
        if row.gflops
        else row
        for row in rows
    ]


def _with_ratios(rows: list[Row], base: Row | None = None) -> list[Row]:
    """Fill in how many times slower each row is than omnimeans (or than `base`)."""
    own = [row for row in rows if LIBRARIES[row.library].own and row.seconds]
    plain = [row for row in own if row.library == OWN]  # else the faster variant
    base = base or min(plain or own, key=lambda row: row.seconds or 0.0, default=None)
    if base is None or not base.seconds:
        return rows
    return [replace(row, ratio=row.seconds / base.seconds) if row.seconds else row for row in rows]


def _paired(mine: list[float], base: list[float]) -> str:
    """Say how much higher these potentials are than omnimeans', seed by seed."""
    if mine is base or len(base) != len(mine):
        return ""
    gaps = [100.0 * (a / b - 1.0) for a, b in zip(mine, base, strict=True)]
    error = stdev(gaps) / len(gaps) ** 0.5 if len(gaps) > 1 else 0.0
    return f"potential {mean(gaps):+.2f} % ± {error:.2f} % of omnimeans' over {len(gaps)} seeds"


@dataclass(frozen=True)
class Mode:
    """One row of the table of modes."""

    name: str
    run: Callable[[Workload, Settings], list[Row]]
    workloads: str | None  # what is run where nothing is chosen
    title: str
    compared: str  # what the column "ratio" means
    actions: tuple[str, ...] = ("lloyd",)  # which workloads it can run


MODES: dict[str, Mode] = {
    mode.name: mode
    for mode in (
        Mode(
            "iterations", iterations, None, "One Lloyd iteration, one whole call",
            "to omnimeans", ("lloyd", "cluster", "predict", "transform"),
        ),
        Mode(
            "threads", threads, "a,c,d,e,f,g,h,i,j,k-iris,k-toy", "Threads",
            "to one thread", ("lloyd", "cluster"),
        ),
        Mode("seeding", seeding, "a,e,h", "Greedy k-means++ alone", "to omnimeans"),
        Mode(
            "fits", fits, "a,b,c,d,e,g-mnist,h,i,l,m", "Whole fits to convergence",
            "to omnimeans",
        ),
        Mode("short", short, "a,c", "Twelve iterations, all told", "to omnimeans"),
        Mode("growth", growth, "growth", "How cost grows with n, d and k", "to omnimeans"),
        Mode(
            "variants", variants, "a,b,c,d,e,f,g,h,i,l,m,n", "What each part earns",
            'to algorithm="auto"',
        ),
    )
}  # fmt: skip


def find(name: str) -> Mode:
    """Return the mode of this name."""
    if name not in MODES:
        raise ValueError(f"no mode {name!r}; choose from {', '.join(MODES)}")
    return MODES[name]


def fitting(mode: Mode, workloads: list[Workload]) -> list[Workload]:
    """Return the workloads that this mode can run."""
    able = [workload for workload in workloads if workload.action in mode.actions]
    if not able:
        keys = ", ".join(workload.key for workload in workloads)
        raise ValueError(f"mode {mode.name!r} cannot run {keys}; choose other workloads")
    return able


def run(mode: Mode, workload: Workload, settings: Settings) -> list[Row]:
    """Measure one workload; where its data is not here, one row says so."""
    try:
        return mode.run(workload, settings)
    except FileNotFoundError as missing:
        return without_data(workload, settings, str(missing))
