"""Linux system calls that a worker is refused: their numbers on x86_64 and aarch64.

The filter refuses what is listed here, and every number that this project has not looked at: numbers
above `LAST_KNOWN`, and the gap between the old tables and the common numbers that start at 424.
A number may be raised into the known range only after each new call below it has been judged.
"""

from __future__ import annotations

LAST_KNOWN = 452  # fchmodat2, Linux 6.6
FIRST_COMMON = 424  # from pidfd_send_signal on, all architectures share their numbers

# machine: (AUDIT_ARCH_*, column in REFUSED, last number of its old table)
MACHINES: dict[str, tuple[int, int, int]] = {
    "x86_64": (0xC000003E, 0, 334),  # rseq
    "aarch64": (0xC00000B7, 1, 294),  # kexec_file_load
}

# name: (x86_64, aarch64); None: that architecture has no such call
Numbers = tuple[int | None, int | None]

PROCESSES: dict[str, Numbers] = {
    "fork": (57, None), "vfork": (58, None), "clone": (56, 220), "clone3": (435, 435),
    "execve": (59, 221), "execveat": (322, 281), "setsid": (112, 157), "setpgid": (109, 154),
}  # fmt: skip

SOCKETS: dict[str, Numbers] = {
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200),
    "listen": (50, 201), "accept": (43, 202), "accept4": (288, 242),
}  # fmt: skip

OTHER_PROCESSES: dict[str, Numbers] = {
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424), "ptrace": (101, 117), "kcmp": (312, 272),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "process_madvise": (440, 440),
    "process_mrelease": (448, 448), "prlimit64": (302, 261), "setpriority": (141, 140),
    "ioprio_set": (251, 30), "sched_setparam": (142, 118), "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122), "sched_setattr": (314, 274), "move_pages": (279, 239),
    "migrate_pages": (256, 238), "get_robust_list": (274, 100), "fcntl": (72, 25), "ioctl": (16, 29),
    "prctl": (157, 167), "personality": (135, 92),
}  # fmt: skip

IDENTITY: dict[str, Numbers] = {
    "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143),
    "setgroups": (116, 159), "setresuid": (117, 147), "setresgid": (119, 149), "setfsuid": (122, 151),
    "setfsgid": (123, 152), "capset": (126, 91), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218),
}  # fmt: skip

FILES: dict[str, Numbers] = {
    "chmod": (90, None), "fchmodat": (268, 53), "fchmodat2": (452, 452), "fchmod": (91, 52),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utimensat": (280, 88), "utime": (132, None), "utimes": (235, None), "futimesat": (261, None),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14),
    "lremovexattr": (198, 15), "fremovexattr": (199, 16), "symlink": (88, None), "symlinkat": (266, 36),
    "link": (86, None), "linkat": (265, 37), "mknod": (133, None), "mknodat": (259, 33),
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "inotify_init": (253, None),
    "inotify_init1": (294, 26), "inotify_add_watch": (254, 27), "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263), "lookup_dcookie": (212, 18), "quotactl": (179, 60),
    "quotactl_fd": (443, 443), "vmsplice": (278, 75),
}  # fmt: skip

MOUNTS: dict[str, Numbers] = {
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "unshare": (272, 97), "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442),
}  # fmt: skip

# Memory and queues that no resource limit counts, or that outlive the worker.
SHARED_MEMORY: dict[str, Numbers] = {
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "userfaultfd": (323, 282),
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197),
    "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192),
    "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "mq_open": (240, 180), "mq_unlink": (241, 181),
}  # fmt: skip

ENGINES: dict[str, Numbers] = {
    "bpf": (321, 280), "perf_event_open": (298, 241), "seccomp": (317, 277),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "io_setup": (206, 0),
}  # fmt: skip

MACHINE: dict[str, Numbers] = {
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "reboot": (169, 142),
    "syslog": (103, 116), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "sethostname": (170, 161), "setdomainname": (171, 162), "vhangup": (153, 58), "uselib": (134, None),
    "nfsservctl": (180, 42),
}  # fmt: skip

REFUSED: dict[str, Numbers] = {
    **PROCESSES, **SOCKETS, **OTHER_PROCESSES, **IDENTITY, **FILES, **MOUNTS, **SHARED_MEMORY,
    **ENGINES, **MACHINE,
}  # fmt: skip
