"""What an engine's answers cost and which of them are known already: how a run keeps its books (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from generation.orders import OrderRefused


class Account(Protocol):
    def spend(self, tokens: int) -> None:
        """Count tokens before they are sent; raise `OrderRefused` where they are more than are left."""

    def known(self, keys: Sequence[str]) -> Mapping[str, Any]:
        """Return the answers that are known, by their keys."""

    def remember(self, answers: Mapping[str, Any]) -> None:
        """Keep answers by their keys."""


def budget_spent(budget: int) -> OrderRefused:
    return OrderRefused(f"model: the budget of {budget:,} tokens a run is used up")


@dataclass
class OwnAccount:
    """The account of a process by itself, such as a command's."""

    budget: int
    spent: int = 0
    answers: dict[str, Any] = field(default_factory=dict)

    def spend(self, tokens: int) -> None:
        if self.spent + tokens > self.budget:
            raise budget_spent(self.budget)
        self.spent += tokens

    def known(self, keys: Sequence[str]) -> Mapping[str, Any]:
        return {key: self.answers[key] for key in keys if key in self.answers}

    def remember(self, answers: Mapping[str, Any]) -> None:
        self.answers.update(answers)
