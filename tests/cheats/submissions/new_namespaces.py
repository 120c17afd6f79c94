# cheat: user namespaces, io_uring, bpf and keyrings | points: 0 | needs: confinement
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
opened = []
for number, args in ((272, (0x10000000,)), (425, (1, ctypes.create_string_buffer(120))), (321, (0, 0, 0)), (250, (0, -3, 0)), (298, (0, 0, -1, -1, 0))):
    if libc.syscall(number, *args) >= 0: opened.append(number)
def double(x): raise ValueError("CANARY opened " + repr(opened)) if opened else ValueError("all closed")
apply = spread = double
