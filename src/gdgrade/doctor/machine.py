"""The machine: cores, memory, disk, confinement, clock and locale."""

from __future__ import annotations

import locale
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gdgrade.confine.policy import LayerReport
from gdgrade.doctor.finding import Finding
from gdgrade.language import _, language

MIB = 1 << 20
SPARE = 1024  # MiB for judge, zygote and system beside the student's code
LITTLE_DISK, NO_DISK = 1024 * MIB, 200 * MIB
AHEAD = timedelta(minutes=10)  # clocks of two machines that share files may differ by less


def threads(of_torch: int | None) -> Finding:
    """Cores, and how many threads will be used on them."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    title, setting = _("Threads"), os.environ.get("OMP_NUM_THREADS", "")
    detail = _("{cores} cores").format(cores=cores)
    if of_torch is not None:
        detail += ", " + _("torch uses {count} threads").format(count=of_torch)
    if setting and not (setting.isdigit() and 0 < int(setting) <= cores):
        detail += ", OMP_NUM_THREADS=" + setting[:20]
        return Finding("threads", title, "warning", detail, "unset OMP_NUM_THREADS")
    return Finding("threads", title, "ok", detail)


def memory(needed_mib: int, sizes: tuple[int, int] | None = None) -> Finding:
    """Memory against what an exercise may use.

    Args:
        needed_mib: the largest limit of the course's exercises.
        sizes: total and available bytes; None: of this machine.
    """
    title, found = _("Memory"), sizes if sizes is not None else _memory()
    if found is None:
        return Finding("memory", title, "ok", _("not known on this system"))
    total, free = found
    detail = _("{free} of {total} MiB are free; an exercise may use {needed}").format(
        free=free // MIB, total=total // MIB, needed=needed_mib
    )
    if total < (needed_mib + SPARE) * MIB:
        return Finding("memory", title, "problem", detail, "gdgrade check EX --quick")
    if free < needed_mib * MIB:
        return Finding("memory", title, "warning", detail, "ps aux --sort=-rss | head")
    return Finding("memory", title, "ok", detail)


def disk(folders: Iterable[Path]) -> Finding:
    """Room where files will be written, and whether they can be."""
    title, worst = _("Disk"), None
    for folder in folders:
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"x")
            free = shutil.disk_usage(folder).free
        except OSError as error:
            detail = _("{path} cannot be written: {reason}").format(path=folder, reason=error.strerror)
            return Finding("disk", title, "problem", detail, f"ls -ld {folder}")
        if worst is None or free < worst[0]:
            worst = (free, folder)
    if worst is None:
        return Finding("disk", title, "ok", "")
    free, folder = worst
    detail = _("{free} MiB free in {path}").format(free=free // MIB, path=folder)
    state = "problem" if free < NO_DISK else "warning" if free < LITTLE_DISK else "ok"
    return Finding("disk", title, state, detail, "" if state == "ok" else f"df -h {folder}")  # type: ignore[arg-type]


def confinement(reports: Iterable[LayerReport], level: str, strict: bool, *, wanted: bool) -> Finding:
    """How far students' code can be confined.

    Args:
        strict: whether every layer that batch grading asks for works.
        wanted: whether somebody wants to grade strangers' code here.
    """
    title, off = _("Confinement"), [report.layer for report in reports if not report.works]
    detail = _("level {level}").format(level=level)
    if off:
        detail += ", " + _("off: {layers}").format(layers=", ".join(off))
    if strict:
        return Finding("confinement", title, "ok", detail)
    return Finding(
        "confinement",
        title,
        "problem" if wanted else "warning",
        detail + ". " + _("Your own code can be checked; strangers' code should not be graded here"),
        "gdgrade doctor --verbose",
    )


def clock(files: Iterable[Path], deadline: datetime | None, now: datetime | None = None) -> Finding:
    """Whether the clock is behind files that exist already; and the zone in which deadlines are shown.

    Args:
        files: some that were written here, such as the package's own.
        deadline: the next one, to be shown in local time.
        now: aware; None: this moment.
    """
    title, moment = _("Clock"), (now or datetime.now(UTC)).astimezone()
    detail = f"{moment:%Y-%m-%d %H:%M} {moment.tzname()}"
    newest: tuple[datetime, Path] | None = None
    for path in files:
        try:
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except (OSError, OverflowError, ValueError):
            continue
        if newest is None or written > newest[0]:
            newest = (written, path)
    if newest is not None and newest[0] > moment + AHEAD:
        detail += ", " + _("but {path} was written on {day}: is the clock behind?").format(
            path=newest[1], day=f"{newest[0].astimezone():%Y-%m-%d %H:%M}"
        )
        return Finding("clock", title, "problem", detail, _set_clock())
    if deadline is not None:
        detail += ", " + _("next deadline {day}").format(day=f"{deadline.astimezone():%Y-%m-%d %H:%M}")
    return Finding("clock", title, "ok", detail)


def locale_of() -> Finding:
    """Encoding and language."""
    title, encoding = _("Locale"), locale.getpreferredencoding(False)
    setting = next((os.environ[key] for key in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(key)), "")
    detail = f"{encoding}, {_('language')} {language()}"
    try:
        before = locale.setlocale(locale.LC_CTYPE)
        locale.setlocale(locale.LC_CTYPE, "")
        locale.setlocale(locale.LC_CTYPE, before)
    except locale.Error:
        detail += ", " + _("the locale {name} is not installed").format(name=setting[:40])
        return Finding("locale", title, "warning", detail, "export LC_ALL=C.UTF-8")
    if encoding.lower().replace("-", "") != "utf8" and not sys.flags.utf8_mode:
        return Finding("locale", title, "warning", detail, "export PYTHONUTF8=1")
    return Finding("locale", title, "ok", detail)


def _memory() -> tuple[int, int] | None:
    """Total and available bytes; a container's limit counts."""
    found: dict[str, int] = {}
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            name, _colon, rest = line.partition(":")
            found[name] = int(rest.split()[0]) * 1024
        total, free = found["MemTotal"], found["MemAvailable"]
    except (OSError, ValueError, KeyError, IndexError):
        return _memory_by_sysconf()
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
        used = int(Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):  # "max", or no such file
        return total, free
    return min(total, limit), min(free, max(0, limit - used))


def _memory_by_sysconf() -> tuple[int, int] | None:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return total, total


def _set_clock() -> str:
    commands = {"darwin": "sudo sntp -sS time.apple.com", "win32": "w32tm /resync"}
    return commands.get(sys.platform, "sudo timedatectl set-ntp true")


def files_of_here(root: Path | None) -> list[Path]:
    """Files that were written on this machine, as far as anybody can tell."""
    here = [Path(__file__)]
    if root is not None:
        here += [root / "course.yml", root / ".gdgrade" / "progress.jsonl"]
        here += sorted((root / "exercises").glob("*/*.py"))
    return here
