"""Files in the two formats of the published records, for tests: a study of questions with three evaluators."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

POEM_APP, QA_APP = "悟能赋诗-v1", "悟能问答-v1"
QA_TAGS = ["cpm", "noiq", "modern", "human"]
QA_METHODS = {
    "cpm": "cpm",
    "noiq": "prompting_baseline",
    "modern": "inverse_prompting",
    "human": "human",
}
Json = dict[str, Any]


def shifted_tags(page: int) -> list[str]:
    """Return the tags in an order of display that changes from page to page."""
    return QA_TAGS[page % 4 :] + QA_TAGS[: page % 4]


def qa_candidates() -> Json:
    """Return a file of candidates in the format of the QA study: four questions, descriptions."""
    scales = ["number[1-5]"] * 3 + ["number[1-10]"]
    questions = [
        {"answer_type": scale, "id": number, "title": f"请评价第{number}项（1-很差 {scale[9:-1]}-很好）"}
        for number, scale in enumerate(scales)
    ]
    pages = [
        {
            "groups": [
                {
                    "title": f"问题{page}？",
                    "desc": f"描述{page}" if page % 2 else "",
                    "content": [f"{tag}的回答{page}，", "第二段。"],
                    "tags": [tag],
                }
                for tag in shifted_tags(page)
            ]
        }
        for page in range(100)
    ]
    return {
        "app_data": {
            "app_name": QA_APP,
            "questions": [*questions, {"answer_type": "group_choice", "id": 4, "title": "请选择最好的"}],
            "tasks": [{"pages": pages[start : start + 10]} for start in range(0, 100, 10)],
        },
        "user_counts": {"ann": 1700, "Ann": 0, "cut": 30, "gone": 1700},
    }


def evaluator(username: str, *, pages: int, app_name: str = QA_APP) -> Json:
    """Return an evaluator who answered the first pages in full: all 3, overall 7, the best is the second."""
    answered = [
        {
            "answers": [1 if page < pages else None],
            "groups": [{"answers": [3, 3, 3, 7] if page < pages else [None] * 4} for _ in range(4)],
        }
        for page in range(100)
    ]
    return {
        "username": username,
        "app_name": app_name,
        "tasks": [{"pages": answered[start : start + 10]} for start in range(0, 100, 10)],
    }


class Files:
    """Both files, to be changed before they are written."""

    def __init__(self, folder: Path) -> None:
        self.candidates = qa_candidates()
        self.evaluators = [evaluator("ann", pages=100), evaluator("Ann", pages=0), evaluator("cut", pages=47)]
        self.paths = folder / "qa-records.jsonl", folder / "user-records.jsonl"

    def write(self) -> tuple[Path, Path]:
        self.paths[0].write_text(json.dumps(self.candidates), encoding="utf-8")
        lines = (json.dumps(one, ensure_ascii=False) + "\n" for one in self.evaluators)
        self.paths[1].write_text("".join(lines), encoding="utf-8")
        return self.paths

    def page(self, evaluator: int, page: int) -> Json:
        """Return an evaluator's answers to a page, to be changed."""
        found: Json = self.evaluators[evaluator]["tasks"][page // 10]["pages"][page % 10]
        return found

    def group(self, page: int, group: int) -> Json:
        found: Json = self.candidates["app_data"]["tasks"][page // 10]["pages"][page % 10]["groups"][group]
        return found
