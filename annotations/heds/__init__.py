"""The human evaluation data sheet of a study."""

from __future__ import annotations

from annotations.heds.sheet import heds_markdown

__all__ = ["heds_markdown"]
