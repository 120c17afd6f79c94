"""Every known mistake in the student's place: which checks catch it, who is accused, how sure chance is."""

from __future__ import annotations

import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gdgrade.author.lab import SECONDS, Case, Lab
from gdgrade.judge.diagnosis import Rerun
from gdgrade.judge.matching import same_run
from gdgrade.judge.outcome import Outcome, classify, weigh
from gdgrade.judge.plugin import Judge
from gdgrade.judge.recall import keep
from gdgrade.judge.reference import load_mistakes, mistaken_reference
from gdgrade.judge.student import Notebook
from gdgrade.judge.tape import TapeDiagnostician
from gdgrade.mistakes import Mistake

Runs = dict[str, dict[str, tuple[Notebook, BaseException | None]]]


class MistakeLab(Lab):
    """Options: `seeds`, how many seeds the power of a statistical check is measured on; `claims`: mistake -> checks;
    `powers`: measure them at all; `mistakes`: where mistakes.py lies, if not beside the checks; `twice`: take a second
    run of each failed check for the student's, which shows verdicts that change by themselves; `recall`: a folder in
    which to keep what the mistakes showed, for judges with the same draws.

    The result: `mistakes`, one entry each, and `power`, rows of check, mistake, runs and caught.
    """

    def __init__(self, judge: Judge, wanted: Mapping[str, Any]) -> None:
        super().__init__(judge, wanted)
        self._runs: Runs = {}

    def result(self) -> dict[str, Any]:
        mistakes = self._mistakes()
        self._modules = {mistake.name: self._module(mistake) for mistake in mistakes}
        for mistake in mistakes:
            self._runs[mistake.name] = self._all_checks(mistake)
        if self.wanted.get("recall"):
            keep(Path(self.wanted["recall"]), self._shown())
        entries = [self._verdict(mistake) for mistake in mistakes]
        power = self._powers(mistakes) if self.wanted.get("powers", True) else []
        return {"mistakes": entries, "power": power}

    def _mistakes(self) -> list[Mistake]:
        """The exercise's own, or those of the course that a student's package was made from."""
        origin = self.wanted.get("mistakes")
        return load_mistakes(Path(origin), self.job.exercise) if origin else self.judge.diagnostician.mistakes

    def _module(self, mistake: Mistake) -> types.ModuleType:
        return mistaken_reference(self.reference_path, self.job.exercise, mistake)

    def _all_checks(self, mistake: Mistake) -> dict[str, tuple[Notebook, BaseException | None]]:
        """The mistake's runs of the checks on which it can have an effect."""
        runs = {}
        for case, rerun in self.runnable():
            if self.may_matter(mistake, case):
                runs[case.short] = self.rerun(case.short, rerun, self._modules[mistake.name], _seconds(case))
        return runs

    def _shown(self) -> dict[str, dict[str, Notebook]]:
        """Check -> mistake -> what was seen of it, for each mistake that fails the check."""
        shown: dict[str, dict[str, Notebook]] = {case.short: {} for case, _ in self.runnable()}
        for mistake, runs in self._runs.items():
            for short, (notebook, error) in runs.items():
                if error is not None:
                    shown[short][mistake] = notebook
        return shown

    def _verdict(self, mistake: Mistake) -> dict[str, Any]:
        """What a student would be told who makes this mistake, by the rules of `gdgrade.judge`."""
        module = self._module(mistake)  # a copy of its own, which the runs before have not touched
        outcomes: list[Outcome] = []
        broken: set[str] = set()
        errors: list[str] = []
        parts = {part.id: part for part in self.job.parts}
        for case, rerun in self.runnable():
            needs = (*parts[case.mark.part].needs, *case.mark.needs)
            if any(needed in broken for needed in needs):
                broken.add(case.mark.part)
                continue
            seen, error = self._runs[mistake.name].get(case.short, (Notebook(), None))
            if error is None:
                continue
            if self.wanted.get("twice"):
                seen, error = self.rerun(case.short, rerun, module, _seconds(case))
            if error is None:
                errors.append(f"{case.short} gives two verdicts on the same answer")
                continue
            settled = classify(error, lambda: True)
            if settled.outcome == "error":
                errors.append(f"{case.short}: {settled.message}")
            if RecursionError.__name__ in str(error):
                errors.append(
                    f"{case.short} meets a {mistake.of} that calls itself without end: ref.{mistake.of} is the mistake "
                    "itself, so write out what it does"
                )
            broken.add(case.mark.part)
            outcome = Outcome.start(
                case.short, self.job.exercise, case.short, case.mark, parts[case.mark.part].optional
            )
            found = self._matches(case, rerun, seen) if settled.diagnosable else ()
            outcomes.append(outcome.__class__(**{**outcome.__dict__, "outcome": "failed", "matches": found}))
        weighed = weigh(outcomes, lambda: self.judge.diagnostician.mistakes)
        return self._entry(mistake, weighed, errors)

    def _matches(self, case: Case, rerun: Rerun, seen: Notebook) -> tuple[str, ...]:
        names = {entry.name.split(".")[0] for entry in seen.seen}
        diagnostician = self.judge.diagnostician
        if isinstance(diagnostician, TapeDiagnostician):  # in a student's package
            return tuple(found.name for found in diagnostician.explain(rerun, seen, case.short))
        found = []
        for other in diagnostician.candidates(names, case.short):
            notebook, error = self._runs[other.name].get(case.short, (None, None))
            if error is not None and notebook is not None and same_run(seen, notebook):
                found.append(other.name)
        return tuple(found)

    def _entry(self, mistake: Mistake, outcomes: list[Outcome], errors: list[str]) -> dict[str, Any]:
        diagnosed: dict[str, int] = {}
        ambiguous: set[str] = set()
        for outcome in outcomes:
            if outcome.mistake is not None:
                diagnosed[outcome.mistake] = diagnosed.get(outcome.mistake, 0) + 1
            elif len(outcome.matches) > 1:
                ambiguous.update(outcome.matches)
        names = [outcome.id.split("/", 1)[1] for outcome in outcomes]
        return {
            "name": mistake.name, "of": mistake.of, "title": mistake.title, "hint": mistake.hint, "kind": mistake.kind,
            "fails": names,
            "seen_by": mistake.seen_by,
            "exact": [name for name in names if self._is_exact(name)],
            "trained": [name for name in names if self.cases[name].mark.training],
            "hints": {outcome.id.split("/", 1)[1]: outcome.hint for outcome in outcomes if outcome.hint},
            "diagnosed": diagnosed,
            "ambiguous": sorted(ambiguous - {mistake.name}),
            "errors": errors,
        }  # fmt: skip

    def _is_exact(self, short: str) -> bool:
        mark = self.cases[short].mark
        return mark.alpha == 0 and not mark.training

    def _powers(self, mistakes: list[Mistake]) -> list[dict[str, Any]]:
        """For each statistical check: how often it catches each mistake that it is meant to catch."""
        claims: Mapping[str, list[str]] = self.wanted.get("claims", {})
        seeds = int(self.wanted["seeds"])
        rows = []
        for case, rerun in self.runnable():
            if case.mark.alpha == 0 or case.mark.training or case.error:
                continue
            for mistake in mistakes:
                named = case.short in claims.get(mistake.name, ()) or case.short in (mistake.checks or ())
                _, error = self._runs[mistake.name].get(case.short, (None, None))
                if not named and error is None:
                    continue
                caught = sum(
                    self.rerun(
                        case.short,
                        self.reseeded(case, rerun, self.job.public_seed + 1 + seed),
                        self._modules[mistake.name],
                    )[1]
                    is not None
                    for seed in range(seeds)
                )
                row = {"check": case.short, "mistake": mistake.name, "runs": seeds, "caught": caught, "named": named}
                rows.append(row)
        return rows


def _seconds(case: Case) -> float:
    """What a rerun may take: a training as much as the student's."""
    return max(SECONDS, case.mark.seconds or 0.0)
