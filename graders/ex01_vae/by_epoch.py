"""The reference's test ELBO after ever more epochs, as a table for docs/results.md.

    OMP_NUM_THREADS=1 python graders/ex01_vae/by_epoch.py --seeds 5

Each number is of trainings of their own, so that the optimiser's state is that of one call of `train`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "src"), str(HERE)]

import numpy as np  # noqa: E402
import torch  # noqa: E402

from gdgrade.judge.reference import load_reference  # noqa: E402

EPOCHS = (1, 2, 5, 10, 20, 30, 60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    torch.set_num_threads(1)
    cut = np.load(ROOT / "data/mnist-small.npz")
    train, test = (torch.from_numpy(cut[name]).reshape(-1, 784).float() / 255 for name in ("x_train", "x_test"))
    vae = load_reference(ROOT / "reference" / HERE.name / "vae.py", HERE.name, "epochs")
    rows = []
    for epochs in EPOCHS:
        found, began = [], time.process_time()
        for seed in range(1000, 1000 + seeds):
            torch.manual_seed(seed)
            encoder, decoder = vae.Encoder(), vae.Decoder()
            vae.train(encoder, decoder, train, epochs=epochs)
            with torch.no_grad():
                found.append(float(vae.elbo(test, encoder, decoder).mean()))
        spread = statistics.stdev(found) if seeds > 1 else 0.0
        seconds = (time.process_time() - began) / seeds
        rows.append(f"| {epochs} | {statistics.mean(found):.1f} ({spread:.1f}; {min(found):.1f}) | {seconds:.1f} |")
    sys.stdout.write("| epochs | test ELBO, nats per image: mean (sd; worst) | seconds |\n| --- | --- | --- |\n")
    sys.stdout.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
