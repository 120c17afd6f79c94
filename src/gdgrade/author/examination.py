"""One exercise under examination: which runs it takes, and the sections of the table that come out of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gdgrade.author import judged, paper
from gdgrade.author.fragments import gifts
from gdgrade.author.junk import public_names
from gdgrade.author.mutants import ExcusesError, Mutant, mutants_of, read_excuses, sample
from gdgrade.author.planted import HeaderError, Planted, with_trainings
from gdgrade.author.reach import Check, checks_to_try
from gdgrade.author.runner import Runner, Task
from gdgrade.author.tasks import Bench, Effort
from gdgrade.author.verdict import Section, Survivor, section
from gdgrade.course.manifest import Course, Exercise
from gdgrade.sourcecode import python_tree

Results = dict[str, list[dict[str, Any]]]
Expect = Callable[[int], None]
REFERENCE_LAB = "gdgrade.author.lab_reference:ReferenceLab"
MISTAKE_LAB = "gdgrade.author.lab_mistakes:MistakeLab"
EQUIVALENCE_LAB = "gdgrade.author.lab_equivalence:EquivalenceLab"


class Examination:
    """One exercise while it is being examined.

    Args:
        runner: of its jobs; expect: told how many more there will be.
        scratch: an empty folder, for what one job leaves to others.

    Attributes:
        confusion: mistake -> diagnosis -> in how many checks; survivors: mutants that no check noticed.
    """

    def __init__(
        self, course: Course, exercise: Exercise, effort: Effort, runner: Runner, expect: Expect, scratch: Path
    ) -> None:
        self.course, self.exercise, self.effort = course, exercise, effort
        self.bench = Bench(course, exercise)
        self.runner, self.expect, self._scratch = runner, expect, scratch
        self.confusion: dict[str, dict[str, int]] = {}
        self.survivors: list[Survivor] = []

    def sections(self) -> list[Section]:
        """All sections, in the order of the table. A reference that does not pass makes the rest meaningless."""
        chance = {"seeds": self.effort.chance, "seconds": self.effort.chance_seconds}
        lab, errors = self._lab(self.bench.lab(REFERENCE_LAB, {**chance, "share": self.effort.figures}))
        if lab is None:
            return [section("checks", "they cannot be run", errors)]
        found = [
            paper.points(self.exercise, lab["checks"], lab["unmarked"]),
            paper.texts(self.exercise, lab["checks"], self.bench.reference),
            paper.hints_on_request(self.exercise, self.bench.reference),
        ]
        broken = [f"{short}: {entry['error']}" for short, entry in lab["checks"].items() if entry["error"]]
        if broken:
            return [*found, section("reference", "it does not pass its own checks", broken)]
        try:
            planted = self.bench.planted
        except HeaderError as error:
            return [*found, section("planted answers", "they cannot be read", [str(error)])]
        try:
            excuses = read_excuses(self.exercise.graders_dir / "equivalent_mutants.yml")
        except ExcusesError as error:
            return [*found, section("excuses", "they cannot be read", [str(error)])]
        if self.effort.every:
            planted = with_trainings(planted, lab["checks"])
        found += [paper.first_lines(planted, lab["checks"])]
        groups = self._groups(lab, planted)
        results = self._run(groups)
        found += judged.reference(groups["reference"], results["reference"], lab["checks"], self.exercise)
        found += [judged.chance(lab["checks"], self.effort.chance), judged.luck(lab["checks"])]
        found += judged.planted(planted, results["planted"], self._kept(planted))
        found += [judged.stub(results["stub"][0], self.exercise)]
        found += self._mistakes(results["mistakes"][0], lab)
        found += [self._mutants(groups["mutants"], results["mutants"], excuses)]
        found += [paper.excuses(excuses, self._every)]
        found += [judged.junk(groups["junk"], results["junk"], lab["checks"])]
        return [*found, paper.secrecy(lab), paper.figures(lab["figures"])]

    # -- what is run -------------------------------------------------------------------------------------------------

    def _groups(self, lab: Mapping[str, Any], planted: Sequence[Planted]) -> dict[str, list[Task]]:
        effort, bench = self.effort, self.bench
        runs = [(number, precision) for number in range(effort.seeds) for precision in ("float64", "float32")]
        power = {"seeds": effort.power, "claims": _claims(planted), "twice": effort.every}
        recall = {} if effort.every else {"recall": str(self._scratch)}
        self._chosen = self._sampled()
        reach = lab["reach"]
        return {
            "mistakes": [bench.lab(MISTAKE_LAB, {**power, **recall}, quick=not effort.every)],
            "reference": [
                bench.reference_run(number, precision, quick=(number, precision) != (0, "float64"))
                for number, precision in runs
            ],
            "stub": [bench.stub_run()],
            "planted": self._planted(planted, lab["checks"]),
            "mutants": [
                bench.mutant_run(mutant, [short for short, names in reach.items() if mutant.function in names])
                for mutant in self._chosen
            ],
            "junk": self._junk(lab["checks"]),
        }

    def _planted(self, planted: Sequence[Planted], checks: Mapping[str, Any]) -> list[Task]:
        kept = self._kept(planted)
        if self.effort.every:
            return [self.bench.planted_run(entry, trained=entry.full) for entry in kept]
        known = {short: Check(entry["part"], tuple(entry["needs"]), entry["enters"]) for short, entry in checks.items()}
        part_needs = {part.id: part.needs for part in self.exercise.parts}
        chosen = checks_to_try(self.bench.reference, kept, known, part_needs)
        return [
            self.bench.planted_run(entry, names, trained=entry.full, recall=self._scratch, shared=True)
            for entry, names in zip(kept, chosen, strict=True)
        ]

    def _kept(self, planted: Sequence[Planted]) -> list[Planted]:
        """The planted answers to be judged: those with training checks only as far as the mode allows."""
        limit, kept = self.effort.trained, []
        for entry in planted:
            if entry.full and limit is not None:
                if limit == 0:
                    continue
                limit -= 1
            kept.append(entry)
        return kept

    def _sampled(self) -> list[Mutant]:
        """Mutants of what students write: not of functions that the stub gives away whole."""
        stub = python_tree(self.exercise.entry_path.read_text(encoding="utf-8"))
        given = gifts(python_tree(self.bench.reference), stub)
        every = [m for m in mutants_of(self.bench.reference, self.course.arrays) if m.function not in given]
        self._every = every
        self._mutants_in_all = len(every)
        seed = self.course.seeds.public
        return every if self.effort.mutants is None else sample(every, self.effort.mutants, seed)

    def _junk(self, checks: Mapping[str, Any]) -> list[Task]:
        stub = self.exercise.entry_path.read_text(encoding="utf-8")
        tasks = []
        for name in public_names(stub):
            called_by = [short for short, entry in checks.items() if name in entry["calls"] and not entry["training"]]
            if called_by and name in public_names(self.bench.reference):
                kinds = self.bench.junk_kinds(name, self.effort.junk)
                tasks += [self.bench.junk_run(name, kind, called_by) for kind in kinds]
        return tasks

    def _run(self, groups: Mapping[str, Sequence[Task]]) -> Results:
        """Trainings first, so that no core waits for one in the end; what recalls the mistakes' runs comes last."""
        tasks = [task for group in groups.values() for task in group]
        self.expect(len(tasks))
        late = [task for task in tasks if _recalls(task)]
        early = sorted((task for task in tasks if not _recalls(task)), key=lambda task: task.job.quick)
        done = {
            id(task): result
            for batch in (early, late)
            for task, result in zip(batch, self.runner.run(batch), strict=True)
        }
        return {name: [done[id(task)] for task in group] for name, group in groups.items()}

    def _lab(self, task: Task) -> tuple[dict[str, Any] | None, list[str]]:
        self.expect(1)
        result = self.runner.run([task])[0]
        return result.get("lab"), [*result["errors"], *filter(None, [result.get("details")])]

    # -- what came out -----------------------------------------------------------------------------------------------

    def _mistakes(self, result: Mapping[str, Any], lab: Mapping[str, Any]) -> list[Section]:
        if "lab" not in result:
            return [section("mistakes", "they cannot be run", result["errors"])]
        self.confusion = judged.confusion(result["lab"]["mistakes"])
        return [
            judged.mistakes(result["lab"]["mistakes"], result["lab"]["power"], trained=self.effort.every),
            paper.hints(result["lab"]["mistakes"], self.bench.reference),
            judged.power(result["lab"]["power"], lab["checks"]),
        ]

    def _mutants(self, tasks: Sequence[Task], results: Sequence[Mapping[str, Any]], excuses: Sequence[Any]) -> Section:
        alive = [mutant for mutant, result in zip(self._chosen, results, strict=True) if not judged.killed(result)]
        excused = [mutant for mutant in alive if any(entry.covers(mutant) for entry in excuses)]
        doubtful = [mutant for mutant in alive if mutant not in excused]
        proofs = self._proofs(doubtful)
        trained = {mutant.name: proofs[mutant.name].get("trainings") for mutant in doubtful}
        untried = [mutant for mutant in doubtful if trained[mutant.name]]
        if self.effort.every:
            tasks = [self.bench.trained_mutant_run(mutant, trained[mutant.name]) for mutant in untried]
            self.expect(len(tasks))
            dead = [m for m, result in zip(untried, self.runner.run(tasks), strict=True) if judged.killed(result)]
            doubtful, untried = [mutant for mutant in doubtful if mutant not in dead], []
        equivalent = [mutant for mutant in doubtful if not proofs[mutant.name]["difference"]]
        self.survivors = [
            Survivor(mutant.name, mutant.diff, proofs[mutant.name]["difference"])
            for mutant in doubtful
            if mutant not in equivalent and mutant not in untried
        ]
        aside = {"proven equal": equivalent, "excused": excused, "reached by trainings only: left to --full": untried}
        return judged.mutants(self._chosen, self._mutants_in_all, self.survivors, aside, results)

    def _proofs(self, doubtful: Sequence[Mutant]) -> dict[str, Any]:
        if not doubtful:
            return {}
        seeds, variants = self.effort.equivalence
        options = {"mutants": [[m.name, m.source, m.function] for m in doubtful], "seeds": seeds, "variants": variants}
        lab, errors = self._lab(self.bench.lab(EQUIVALENCE_LAB, options))
        if lab is None:
            return {mutant.name: {"difference": f"not compared: {errors}"} for mutant in doubtful}
        proofs = lab["mutants"]
        assert isinstance(proofs, dict)
        return proofs


def _recalls(task: Task) -> bool:
    """Whether a job wants to know what mistakes showed; a training is too long to wait with."""
    return "recall" in task.job.extra and task.job.quick


def _claims(planted: Sequence[Planted]) -> dict[str, list[str]]:
    """Which checks must catch which mistake, by the first lines of the planted answers."""
    claims: dict[str, list[str]] = {}
    for entry in planted:
        if entry.diagnosis not in (None, "none"):
            claims.setdefault(str(entry.diagnosis), []).extend(sorted(entry.fails))
    return claims
