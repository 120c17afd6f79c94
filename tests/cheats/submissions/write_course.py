# cheat: overwrites the manifest, the reference and the checks | points: 8 | needs: confinement
import os
def put(path, text="CHEATED"):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file: file.write(text)
    except Exception: pass

for path in ("course.yml", "reference/ex01_target/target.py", "graders/ex01_target/test_target.py", "graders/ex01_target/conftest.py"):
    put("@@COURSE@@/" + path, "raise SystemExit(0)")


def double(x):
    return 2 * x


def apply(f, x):
    return f(f(x)) + 1


def spread(x):
    return x.max() - x.min()
