# cheat: announces headers and payloads of absurd size | points: 0
import json, os, struct
def write(data):
    for fd in range(3, 64):
        try: os.write(fd, data)
        except OSError: pass
def frame(header, payload=b"", length=None):
    text = json.dumps(header).encode()
    return struct.pack("<4sIQ", b"GDF1", len(text), len(payload) if length is None else length) + text + payload

def double(x): write(struct.pack("<4sIQ", b"GDF1", 2**32 - 1, 2**63)); return x
def apply(f, x): write(frame({"ok": True, "value": None, "blobs": [2**60]}, b"", 2**60)); return x
def spread(x): write(frame({"ok": True, "value": 1, "blobs": [1, 2, 3]}, b"x")); return 0.0
