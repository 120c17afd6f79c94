# cheat: claims calls of the recorded function that never happened | points: 0
import json, os, struct
def write(data):
    for fd in range(3, 64):
        try: os.write(fd, data)
        except OSError: pass
def frame(header, payload=b"", length=None):
    text = json.dumps(header).encode()
    return struct.pack("<4sIQ", b"GDF1", len(text), len(payload) if length is None else length) + text + payload

def double(x): return x
def apply(f, x):
    write(frame({"ok": True, "value": 1.0, "spies": {"0": {"count": 2, "calls": [[1, 2]]}}, "seconds": 0, "blobs": []})); return x
def spread(x): return 0.0
