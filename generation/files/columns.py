"""What each column of a file of candidates is: guessed by its name and its cells, for somebody to confirm.

A file has one row a candidate, with a column for the method and one for the text, or one row a prompt, with a column of
texts for each method. What is no part of a prompt or a candidate is a note, and kept with the candidate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.utils.translation import gettext as _

from generation.files.problems import FileRefused, Problems, shown
from generation.files.prompt_fields import PART, PROMPT_COLUMNS, TAG, USUAL_PARTS, field_name
from generation.files.tables import Table, TableRow, text_of

METHOD, TEXT, FORM, SAMPLE, PROVENANCE, NOTES = "method", "text", "form", "sample", "provenance", "notes"
# The texts of the method that the column is named after; a note; nothing that is kept.
TEXTS_OF, NOTE, IGNORED = "texts_of", "note", "ignore"
FIELDS = (*PROMPT_COLUMNS, METHOD, TEXT, FORM, SAMPLE, PROVENANCE, NOTES)
PROMPT_ITSELF = ("prompt", "turns", "parts", *USUAL_PARTS)
ROWS_LOOKED_AT = 20
FEWEST_TEXTS = 2
MUCH_SHORTER = 5

# What people call what they bring, the likeliest first; without case, blanks, hyphens and underscores.
NAMES = {
    "prompt_id": "promptid id questionid qid itemid 编号 序号 题号",
    "prompt": "prompt question instruction query input title topic 题目 问题 提示 提示词 指令 输入 标题",
    "description": "description details 描述 说明",
    "source": "source sourcetext document article 原文",
    "context": "context passage background 上下文 背景",
    "reference": "reference gold goldanswer target 参考 参考答案 参考译文",
    METHOD: "method model system modelname generator 方法 模型 系统",
    TEXT: (
        "text candidate response output answer completion generation generatedtext prediction summary translation poem"
        " 文本 候选文本 回答 回复 输出 答案 摘要 译文 诗"
    ),
}
NOTED = (
    "author origin note notes comment category domain topic genre level difficulty task subject dataset language lang"
    " date time url score rating split index rank label 作者 备注 来源 类别 领域 主题 难度 语言 日期 分数"
)
SEPARATORS = re.compile(r"[\s_\-]+")
LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class GuessedColumns:
    """What the columns of a table are, and whether all are called as they are read, so that nothing is guessed."""

    roles: Mapping[str, str]
    is_certain: bool
    # Whether a file of prompts is rather one without columns: each of its lines is a prompt.
    is_list: bool = False


class ColumnsUnconfirmed(FileRefused):
    """A file whose columns are called otherwise than they are read; `roles` has what they were taken for."""

    def __init__(self, problems: Problems, table: Table, roles: Mapping[str, str]) -> None:
        super().__init__(problems)
        self.table, self.roles = table, roles


def guessed_columns(table: Table) -> GuessedColumns:
    """Return what the columns of a table seem to be.

    Where they are called as they are read, they are that; other columns are notes then.
    """
    exact = {column: field_name(column) for column in table.columns}
    named = {role for role in exact.values() if role in FIELDS or role.startswith((PART, TAG))}
    if {METHOD, TEXT} <= named and any(role in PROMPT_ITSELF or role.startswith(PART) for role in named):
        return GuessedColumns(
            {column: role if role in named else NOTE for column, role in exact.items()}, True
        )
    return GuessedColumns(_by_names_and_cells(table, exact, named), False)


def guessed_prompt_columns(table: Table) -> GuessedColumns:
    """Return what the columns of a table of prompts seem to be; further ones are notes."""
    roles = named_prompt_columns(table)
    if _says_a_prompt(roles.values()) and not has_lines_alone(table) and NOTE not in roles.values():
        return GuessedColumns(roles, True)
    for column, role in _by_names(
        table, {role: names for role, names in NAMES.items() if role in PROMPT_COLUMNS}
    ).items():
        if roles[column] == NOTE and role not in roles.values():
            roles[column] = role
    is_list = table.kind == "csv" and not _says_a_prompt(roles.values())
    return GuessedColumns(roles, is_list and len(table.columns) < 2, is_list)


def named_prompt_columns(table: Table) -> dict[str, str]:
    """Return what the columns of a table of prompts are by their names alone; further ones are notes."""
    exact = {column: field_name(column) for column in table.columns}
    return {
        column: role if role in PROMPT_COLUMNS or role.startswith((PART, TAG)) else NOTE
        for column, role in exact.items()
    }


def has_lines_alone(table: Table) -> bool:
    """Whether a file of prompts is rather a prompt a line: text without a column that is called as one of a prompt.

    A single word that is one, such as Source, may be a title.
    """
    roles = named_prompt_columns(table).values()
    return table.kind == "csv" and not ("prompt" in roles or (len(roles) > 1 and _says_a_prompt(roles)))


def _says_a_prompt(roles: Iterable[str]) -> bool:
    return any(role in PROMPT_ITSELF or role.startswith(PART) for role in roles)


def _by_names(table: Table, known: Mapping[str, str]) -> dict[str, str]:
    """Return the columns that are called as one of the fields `known` often is."""
    plain = {column: SEPARATORS.sub("", column.lower()) for column in table.columns}
    roles: dict[str, str] = {}
    for role, names in known.items():
        found = [column for name in names.split() for column in table.columns if plain[column] == name]
        if first := next((column for column in found if column not in roles), None):
            roles[first] = role
    return roles


def _by_names_and_cells(table: Table, exact: Mapping[str, str], named: set[str]) -> dict[str, str]:
    rows = table.first_rows(ROWS_LOOKED_AT)
    plain = {column: SEPARATORS.sub("", column.lower()) for column in table.columns}
    roles = _by_names(table, NAMES)
    for column, role in exact.items():
        if role in named and role not in roles.values():
            roles.setdefault(column, role)
    texts = {
        column: lengths
        for column in table.columns
        if (lengths := _text_lengths(rows, column)) and plain[column] not in NOTED.split()
    }
    free = [column for column in table.columns if column not in roles]
    if METHOD in roles.values() and TEXT not in roles.values():
        longest = max(
            (column for column in free if column in texts), key=lambda one: texts[one], default=None
        )
        roles |= {longest: TEXT} if longest else {}
    elif METHOD not in roles.values():
        roles = {column: role for column, role in roles.items() if role != TEXT}
        free = [column for column in table.columns if column not in roles and column in texts]
        if "prompt" not in roles.values() and not set(PROMPT_ITSELF) & set(roles.values()) and free:
            roles[free.pop(0)] = "prompt"
        roles |= {column: TEXTS_OF for column in free if not _is_a_fact(column, free, texts)}
    return {column: roles.get(column, NOTE) for column in table.columns}


def _is_a_fact(column: str, columns: list[str], lengths: Mapping[str, float]) -> bool:
    """Whether a column is much shorter than the others, of which there are texts by two methods at least."""
    others = [lengths[other] for other in columns if other != column]
    return len(others) >= FEWEST_TEXTS and MUCH_SHORTER * lengths[column] < median(others)


def _text_lengths(rows: list[TableRow], column: str) -> float:
    """Return how long the texts of a column are on average, or 0 where most cells hold none."""
    cells = [row.fields.get(column) for row in rows]
    texts = [cell for cell in cells if isinstance(cell, str) and LETTER.search(cell)]
    return sum(map(len, texts)) / len(texts) if 2 * len(texts) > len(cells) else 0


@dataclass(frozen=True, slots=True)
class MappedRow:
    """What a row says of a prompt and of one candidate for it, by field, with the notes beside it.

    `method` is the label of the method, and `named` has the column in which each field stands.
    """

    row: TableRow
    fields: dict[str, Any]
    notes: dict[str, Any]
    named: Mapping[str, str]


def mapped_rows(table: Table, roles: Mapping[str, str]) -> Iterator[MappedRow]:
    """Yield one row a candidate; a cell without a text in a method's column is none."""
    by_column = {column: _field_of(column, role) for column, role in roles.items()}
    texts_of = [column for column, role in roles.items() if role == TEXTS_OF]
    named = {role: column for column, role in by_column.items()}
    for row in table:
        fields: dict[str, Any] = {}
        notes: dict[str, Any] = {}
        for column, value in row.fields.items():
            role = by_column.get(column, NOTE)
            if role == NOTE and value not in (None, ""):
                notes[column] = value
            elif role not in (NOTE, IGNORED, TEXTS_OF):
                fields[role] = text_of(value, table)
        given = fields.pop(NOTES, None)
        notes |= given if isinstance(given, dict) else {NOTES: given} if given not in (None, "") else {}
        if not texts_of:
            yield MappedRow(row, fields, notes, named)
        for column in texts_of:
            text = text_of(row.fields.get(column), table)
            if text not in (None, ""):
                yield MappedRow(row, {**fields, METHOD: column, TEXT: text}, notes, {**named, TEXT: column})


def _field_of(column: str, role: str) -> str:
    """Return the field of a column; a part or a tag without a name of its own is called as its column."""
    if role not in (PART, TAG):
        return role
    return field_name(column) if column.lower().startswith(role) else f"{role}{column}"


def checked_roles(table: Table, given: Mapping[str, str] | None) -> dict[str, str]:
    """Return what the columns are, as somebody said or by their names.

    Raises `ColumnsUnconfirmed` where that would be guessed, `FileRefused` for what cannot be.
    """
    table.problems.refuse_if_any()
    if given is None:
        guessed = guessed_columns(table)
        if guessed.is_certain or not table.columns:
            return dict(guessed.roles)
        _check_roles(table, guessed.roles)
        said = ", ".join(f"{column}={role}" for column, role in guessed.roles.items())
        table.problems.add(0, "", _("has columns of other names; they seem to be: %(columns)s"), columns=said)
        raise ColumnsUnconfirmed(table.problems, table, guessed.roles)
    roles = {column: given.get(column, NOTE) for column in table.columns}
    for column in given:
        if column not in roles and not table.is_json:
            table.problems.add(
                0, shown(column), _("no such column; there are: %(columns)s"), columns=table.columns_shortly
            )
    for column, role in roles.items():
        if role not in (*FIELDS, TEXTS_OF, NOTE, IGNORED) and not role.startswith((PART, TAG)):
            table.problems.add(0, column, _("%(role)s is nothing that a column can be"), role=shown(role))
    _check_roles(table, roles)
    return roles


def prompt_fields_and_notes(
    row: TableRow, table: Table, roles: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a row says of a prompt by field, and the notes beside it; a column without a role is a note."""
    fields: dict[str, Any] = {}
    notes: dict[str, Any] = {}
    for column, value in row.fields.items():
        role = _field_of(column, roles.get(column, NOTE))
        if role == NOTE and value not in (None, ""):
            notes[column] = value
        elif role not in (NOTE, IGNORED):
            fields[role] = text_of(value, table)
    return fields, notes


def checked_prompt_roles(table: Table, given: Mapping[str, str] | None) -> dict[str, str]:
    """Return what the columns of a table of prompts are, as somebody said or by their names; raise `FileRefused`."""
    table.problems.refuse_if_any()
    roles = named_prompt_columns(table) if given is None else dict(given)
    for column, role in roles.items():
        if role not in (*PROMPT_COLUMNS, NOTE, IGNORED) and not role.startswith((PART, TAG)):
            table.problems.add(0, column, _("%(role)s is nothing that a column can be"), role=shown(role))
    _check_prompt_roles(table, [_field_of(column, role) for column, role in roles.items()])
    table.problems.refuse_if_any()
    return roles


def _check_prompt_roles(table: Table, fields: list[str]) -> None:
    for field in dict.fromkeys(fields):
        if field not in (TEXTS_OF, NOTE, IGNORED) and fields.count(field) > 1:
            table.problems.add(0, field, _("is what two columns are"))
    if not _says_a_prompt(fields):
        table.problems.add(
            0, "prompt", _("no such column; there are: %(columns)s"), columns=table.columns_shortly
        )


def _check_roles(table: Table, roles: Mapping[str, str]) -> None:
    """Raise `FileRefused` where the columns do not make prompts with candidates."""
    fields = [_field_of(column, role) for column, role in roles.items()]
    problems = table.problems
    _check_prompt_roles(table, fields)
    if TEXTS_OF in fields and {METHOD, TEXT} & set(fields):
        problems.add(
            0, "", _("has either a column for the method and one for the text, or one for each method")
        )
    elif TEXTS_OF not in fields:
        for field in (METHOD, TEXT):
            if field not in fields:
                problems.add(
                    0, field, _("no such column; there are: %(columns)s"), columns=table.columns_shortly
                )
    problems.refuse_if_any()
