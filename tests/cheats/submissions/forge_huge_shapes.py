# cheat: arrays of impossible shape, type and byte count | points: 0
import json, os, struct
def write(data):
    for fd in range(3, 64):
        try: os.write(fd, data)
        except OSError: pass
def frame(header, payload=b"", length=None):
    text = json.dumps(header).encode()
    return struct.pack("<4sIQ", b"GDF1", len(text), len(payload) if length is None else length) + text + payload

def array(**k): return {"!": "array", "lib": "numpy", "dtype": "float64", "shape": [5, 2], "blob": 0, **k}
def double(x): write(frame({"ok": True, "value": array(shape=[2**40, 2**40]), "blobs": [8]}, b"x" * 8)); return x
def apply(f, x): write(frame({"ok": True, "value": array(dtype="object"), "blobs": [8]}, b"x" * 8)); return x
def spread(x): write(frame({"ok": True, "value": array(shape=[-1]), "blobs": [0]})); return 0.0
