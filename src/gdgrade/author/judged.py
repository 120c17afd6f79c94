"""Sections of the table that come from judging: reference, planted answers, stub, mistakes, mutants, junk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gdgrade.author.mutants import Mutant
from gdgrade.author.planted import Planted, disagreements, short
from gdgrade.author.runner import Task
from gdgrade.author.verdict import Section, Survivor, section
from gdgrade.compare.calibration import clopper_pearson
from gdgrade.course.manifest import Exercise

Result = Mapping[str, Any]
MIN_POWER = 0.9
MARGIN = 0.5  # share of the time and memory limits that the reference may use


def reference(
    tasks: Sequence[Task], results: Sequence[Result], checks: Mapping[str, Any], exercise: Exercise
) -> Iterator[Section]:
    """The reference gets every point in both precisions, and keeps well within time and memory."""
    counted: dict[tuple[str, str], list[str]] = {}
    failed = 0
    for task, result in zip(tasks, results, strict=True):
        precision, seed = task.name.split(", ")[1:]
        found = list(_not_passed(result))
        failed += bool(found)
        for name, words in found:
            counted.setdefault((precision, name), []).append(f"{seed}: {words}")
    problems = [f"in {where} {name} fails {len(every)} times; {every[0]}" for (where, name), every in counted.items()]
    double = sum("float64" in task.name for task in tasks)
    summary = f"{double} seeds in float64, {len(tasks) - double} in float32"
    yield section("reference", summary, problems, runs=len(tasks), failed=failed)
    yield _budget(results, checks, exercise)


def _budget(results: Sequence[Result], checks: Mapping[str, Any], exercise: Exercise) -> Section:
    slowest: dict[str, float] = {}
    largest: dict[str, float] = {}
    for entry in (entry for result in results for entry in result["outcomes"]):
        timings = entry["timings"]
        name = short(entry)
        slowest[name] = max(slowest.get(name, 0.0), timings.get("student_seconds") or 0.0)
        largest[name] = max(largest.get(name, 0.0), timings.get("peak_memory_mib") or 0.0)
    bare = min(largest.values(), default=0.0)  # what a worker has before it does anything, nearly
    problems = []
    for name, seconds in slowest.items():
        limit = checks[name]["seconds"] or exercise.limits.seconds
        if seconds > MARGIN * limit:
            problems.append(f"{name}: the reference takes {seconds:.1f} s of {limit:g} s")
        memory = checks[name]["memory_mib"] or exercise.limits.memory_mib
        if largest[name] - bare > MARGIN * memory:
            problems.append(f"{name}: the reference takes {largest[name] - bare:.0f} MiB of {memory} MiB")
    worst = max(slowest, key=lambda name: slowest[name], default="")
    top = max(largest.values(), default=0.0) - bare
    words = f"slowest {worst} {slowest.get(worst, 0.0):.2f} s, at most {top:.0f} MiB more than a bare worker"
    return section("time and memory", words, problems, seconds=slowest.get(worst, 0.0), memory_mib=top)


def chance(checks: Mapping[str, Any], seeds: int) -> Section:
    """No check failed the reference by chance more often than it says."""
    problems, rows, runs, fails = [], {}, 0, 0
    for name, entry in checks.items():
        if not entry["runs"]:
            continue
        runs, fails = runs + entry["runs"], fails + entry["fails"]
        low, high = clopper_pearson(entry["fails"], entry["runs"])
        rows[name] = {"alpha": entry["alpha"], "runs": entry["runs"], "fails": entry["fails"], "bound": high}
        if entry["fails"] and low > entry["alpha"]:
            problems.append(f"{name} failed the reference {entry['fails']} of {entry['runs']} times ({entry['why']})")
    bound = clopper_pearson(fails, runs)[1] if runs else 1.0
    alpha = max((entry["alpha"] for entry in checks.values()), default=0.0)
    words = f"{fails} of {runs} runs on {seeds} seeds, rate at most {bound:.2g}; largest declared alpha {alpha:.2g}"
    return section("false failures", words, problems, rows=rows, bound=bound)


def luck(checks: Mapping[str, Any]) -> Section:
    """No check takes its randomness from elsewhere than its seed, so that a regrade gives the same grade."""
    problems = [f"{name}: {entry['luck']}; take it from draw" for name, entry in checks.items() if entry["luck"]]
    count = sum(bool(entry["runs"]) for entry in checks.values())
    return section("same seed, same run", f"{count} checks run twice", problems)


def planted(every: Sequence[Planted], results: Sequence[Result], kept: Sequence[Planted]) -> Iterator[Section]:
    """Each planted answer gets the verdict that its first line promises."""
    left_out = len(every) - len(kept)
    for right, name in ((True, "planted right answers"), (False, "planted wrong answers")):
        problems, count = [], 0
        for entry, result in zip(kept, results, strict=True):
            if entry.right is right:
                count += 1
                found = [*result["errors"], *disagreements(entry, result["outcomes"])]
                problems += [f"{entry.path.name}: {problem}" for problem in found]
        if not count:
            problems.append("there is none")
        notes = [f"{left_out} with training checks left to --full"] if left_out and not right else []
        yield section(name, f"{count} judged", problems, notes, count=count)


def stub(result: Result, exercise: Exercise) -> Section:
    """The stub scores nothing, and every part of it is called not attempted."""
    problems = [*result["errors"]]
    for entry in result["outcomes"]:
        if entry["points"]:
            problems.append(f"{short(entry)} gives the stub {entry['points']:g} points")
        if (entry["outcome"], entry["cause"]) not in {("failed", "not_attempted"), ("skipped", "none")}:
            problems.append(f"{short(entry)}: {entry['outcome']}, {entry['cause']}: {entry['message']}")
        if "Traceback" in entry["message"]:
            problems.append(f"{short(entry)} shows a traceback")
    # A part whose checks all wait for another one is called skipped, and that other one not attempted.
    problems += [
        f"part {part.id} has no check"
        for part in exercise.parts
        if not any(entry["part"] == part.id for entry in result["outcomes"]) and not problems
    ]
    if not problems and not any(entry["cause"] == "not_attempted" for entry in result["outcomes"]):
        problems.append("no part is called not attempted")
    return section("stub", f"0 points, {len(exercise.parts)} parts not attempted", problems)


def mistakes(entries: Sequence[Mapping[str, Any]], power: Sequence[Mapping[str, Any]], *, trained: bool) -> Section:
    """Each mistake is caught by the kind of check that it names, and nobody who makes it is told of another one.

    Args:
        power: rows of the statistical checks; trained: whether training checks were run on the mistakes.
    """
    problems: list[str] = []
    notes: list[str] = []
    right = 0
    for entry in entries:
        name = entry["name"]
        others = [other for other in entry["diagnosed"] if other != name]
        problems += [f"{name} is taken for {other}" for other in others]
        problems += [f"{name}: {error}" for error in entry["errors"]]
        missed = _missed(entry, power)
        if entry["seen_by"] == "training" and not trained:
            notes.append(f"{name} shows in a training only: left to --full")
            right += not missed or not entry["fails"]
            continue
        problems += [f"{name} {missed}"] if missed else []
        if name in entry["diagnosed"]:
            right += 1
        elif entry["ambiguous"]:
            problems.append(f"{name} cannot be told from {', '.join(entry['ambiguous'])}")
        elif entry["fails"]:
            problems.append(f"{name} is caught, but nobody is told")
        if name in entry["diagnosed"] and entry["ambiguous"]:
            notes.append(f"in some check {name} looks like {', '.join(entry['ambiguous'])}")
    accusations = sum(other != entry["name"] for entry in entries for other in entry["diagnosed"])
    summary = f"{right} of {len(entries)} diagnosed as themselves, {accusations} wrong accusations"
    return section("mistakes", summary, problems, notes, right=right, count=len(entries), accusations=accusations)


def _missed(entry: Mapping[str, Any], power: Sequence[Mapping[str, Any]]) -> str:
    """Why a mistake counts as not caught; "" if it is."""
    if entry["exact"]:
        return "" if entry["seen_by"] == "exact" else f"is caught by an exact check: drop seen_by={entry['seen_by']!r}"
    if entry["seen_by"] == "exact":
        return "is caught by no exact check"
    if entry["seen_by"] == "training":
        return "" if entry["trained"] else "is caught by no training check"
    shares = [row["caught"] / row["runs"] for row in power if row["mistake"] == entry["name"]]
    best = max(shares, default=0.0)
    return "" if best >= MIN_POWER else f"is caught by no statistical check in more than {best:.0%} of the runs"


def confusion(entries: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Mistake -> diagnosis -> in how many checks; "" where nobody is accused."""
    matrix = {}
    for entry in entries:
        row = dict(entry["diagnosed"])
        silent = len(entry["fails"]) - sum(row.values())
        matrix[entry["name"]] = {**row, **({"": silent} if silent else {})}
    return matrix


def power(rows: Sequence[Mapping[str, Any]], checks: Mapping[str, Any]) -> Section:
    """Statistical checks catch the mistakes that they claim to catch, seed after seed."""
    problems: list[str] = []
    notes: list[str] = []
    for row in rows:
        share = row["caught"] / row["runs"]
        low, _ = clopper_pearson(row["caught"], row["runs"])
        words = f"{row['check']} catches {row['mistake']} in {row['caught']} of {row['runs']} runs (at least {low:.2f})"
        if share < MIN_POWER:
            (problems if row["named"] else notes).append(words)
    count = sum(entry["alpha"] > 0 for entry in checks.values())
    lowest = min((row["caught"] / row["runs"] for row in rows), default=1.0)
    words = f"{count} statistical checks, {len(rows)} pairs with a mistake, lowest power {lowest:.2f}"
    return section("power", words if count else "no statistical check", problems, notes, rows=list(rows))


def killed(result: Result) -> bool:
    """Whether some check failed a mutant."""
    return bool(result["errors"]) or any(entry["outcome"] != "passed" for entry in result["outcomes"])


def mutants(
    chosen: Sequence[Mutant],
    in_all: int,
    survivors: Sequence[Survivor],
    aside: Mapping[str, Sequence[Mutant]],
    results: Sequence[Result],
) -> Section:
    """Every mutant of the reference fails a check, unless it is the reference in other words.

    Args:
        aside: mutants that do not count, by the reason.
    """
    counted = len(chosen) - sum(map(len, aside.values()))
    dead = counted - len(survivors)
    share = dead / counted if counted else 1.0
    summary = f"{dead} of {counted} killed ({share:.0%})"
    more = [f"{len(found)} {why}" for why, found in aside.items() if found]
    more += [f"{in_all - len(chosen)} more in --full"] if in_all > len(chosen) else []
    problems = [f"no check notices {survivor.name}: {survivor.difference}" for survivor in survivors]
    broken = [f"{e}" for result in results for e in result["errors"]]
    return section(
        "mutants", ", ".join([summary, *more]), problems, broken, killed=dead, counted=counted, share=share,
        **{why.split(":")[0].replace(" ", "_"): [mutant.name for mutant in found] for why, found in aside.items()},
    )  # fmt: skip


def junk(tasks: Sequence[Task], results: Sequence[Result], checks: Mapping[str, Any]) -> Section:
    """Junk gives no points, never breaks the judge, and always gets a message."""
    problems = []
    for task, result in zip(tasks, results, strict=True):
        problems += [f"{task.name}: {error}" for error in result["errors"]]
        for entry in result["outcomes"]:
            if entry["outcome"] == "passed":
                problems.append(f"{task.name} passes {short(entry)}")
            elif entry["outcome"] == "error":
                problems.append(f"{task.name} breaks {short(entry)}: {entry['message']}")
            elif not entry["message"].strip():
                problems.append(f"{task.name}: {short(entry)} fails without a word")
    return section("junk answers", f"{len(tasks)} answers", problems, count=len(tasks))


def _not_passed(result: Result) -> Iterator[tuple[str, str]]:
    """(check, why) of what failed; what was only skipped because of it is left out."""
    yield from (("all checks", error) for error in result["errors"])
    for entry in result["outcomes"]:
        if entry["outcome"] in ("failed", "error"):
            yield short(entry), entry["message"]
