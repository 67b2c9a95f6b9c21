"""The human evaluation data sheet of a study."""

from __future__ import annotations

from annotations.data_sheet.form import heds_form
from annotations.data_sheet.sheet import heds_markdown

__all__ = ["heds_form", "heds_markdown"]
