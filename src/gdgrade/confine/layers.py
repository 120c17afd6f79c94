"""The layers by name: what each stops, and what to do where it is missing."""

from __future__ import annotations

LAYERS: dict[str, str] = {
    "process_group": "a worker leaving descendants behind: one killpg ends them all",
    "parent_death": "a worker outliving the process that started it",
    "oom_first": "the kernel ending the judge instead of the worker when memory runs out",
    "scratch": "a scratch folder that somebody else prepared (a link, or another owner)",
    "namespaces": "network and System V objects of the host, a second time",
    "mount_view": "seeing files outside the worker's own view at all",
    "uid": "acting with the rights of the user who grades",
    "private_folders": "names, sizes and dates of files in private folders",
    "no_new_privs": "gaining rights through setuid programs",
    "dumpable": "being read or traced by a sibling worker",
    "capabilities": "the special rights of root",
    "rlimits": "endless loops, memory, file and descriptor bombs",
    "landlock": "reading or writing any file but the allowed ones, /proc of others, ptrace",
    "landlock_tcp": "TCP connections",
    "landlock_scope": "signals to others and abstract UNIX sockets",
    "forbidden": "reading the packages that the exercise forbids",
    "descriptors": "secrets and connections in inherited file descriptors",
    "seccomp": "sockets, new processes, exec, signals, chmod, links, mounts, odd system calls",
}

_KERNEL = (
    "Use Linux 5.13 or newer with Landlock switched on (or a container engine from 2022 or newer); "
    "--confine best grades without it, which is only right for submissions that you trust."
)
ADVICE: dict[str, str] = {
    "landlock": _KERNEL,
    "landlock_tcp": "Needs Linux 6.7 or newer; seccomp refuses sockets anyway, so it need not be required.",
    "landlock_scope": "Needs Linux 6.12 or newer; seccomp refuses signals anyway: it need not be required.",
    "seccomp": "Use 64-bit Linux on x86_64 or aarch64, whose container engine allows seccomp filters; "
    "--confine best grades without it, which is only right for submissions that you trust.",
    "forbidden": "Take the package out of the manifest's preload, or out of forbidden_packages.",
    "uid": "Start as root, or take 'uid' out of the required layers.",
    "scratch": "Give an existing folder that belongs to the user who grades.",
}
