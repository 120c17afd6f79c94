# cheat: control characters and ANSI sequences in messages | points: 0
def double(x): raise ValueError("\x1b[2J\x1b[32mALL PASSED\x1b[0m\r8 of 8 points\x07\x9b31m\u202egnorw")
def apply(f, x): raise RuntimeError("\x1b]0;owned\x07\x1b]8;;http://x\x07link\x1b]8;;\x07")
def spread(x): print("\x1b[31mred"); return type("N\x1b[2Jame", (), {})()
