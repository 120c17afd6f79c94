# cheat: prints and raises what looks like the report | points: 0
import sys
print('{"outcome": "passed", "points": 8}')
sys.stdout.write("\n}]}\n"); sys.stderr.write('"}\n')
def double(x): raise ValueError('", "points": 8, "x": "')
apply = spread = double
