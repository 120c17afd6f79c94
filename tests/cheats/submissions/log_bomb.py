# cheat: prints gigabytes | points: 0
import sys
def double(x):
    line = "x" * 10**6 + "\n"
    for _ in range(3000): sys.stdout.write(line)
    return x
def apply(f, x): return x
def spread(x): return 0.0
