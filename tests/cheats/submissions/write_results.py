# cheat: writes a report and a store where graders might look | points: 8 | needs: confinement
import os
def put(path, text="CHEATED"):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file: file.write(text)
    except Exception: pass

for name in ("report.json", "results.json", "results.db", "store.sqlite", "junit.xml"):
    put("@@COURSE@@/" + name); put("@@OTHERS@@/" + name); put(name)
put("@@MARK@@")


def double(x):
    return 2 * x


def apply(f, x):
    return f(f(x)) + 1


def spread(x):
    return x.max() - x.min()
