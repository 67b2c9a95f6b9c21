"""Reading a list of people: a table with a column of e-mail addresses, or nothing but addresses and names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from generation.files.problems import Place, Problems
from generation.files.tables import Table, read_table, text_of

# What columns are called, without case, blanks, hyphens and underscores.
NAMES = {
    "email": "email emailaddress mail mailaddress 邮箱 电子邮箱 电子邮件 邮件地址 邮箱地址",
    "name": "name fullname 姓名 名字",
    "first name": "firstname givenname",
    "last name": "lastname surname familyname",
    "group": "group 组 组别 分组",
}
SEPARATORS = re.compile(r"[\s_\-]+")
# Dora Dai <dora@example.org>
NAMED = re.compile(r'\s*"?(?P<name>[^"<>]*?)"?\s*<(?P<email>[^<>]*)>\s*(?:[,;]|$)')
BETWEEN_ADDRESSES = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a list: where, the address as it stands there, and name and key of a group where they are said."""

    place: Place
    email: str
    name: str = ""
    group: str = ""


def read_people(
    path: Path, name: str, *, encoding: str = "", sheet: str = ""
) -> tuple[list[Person], Problems]:
    """Return the people of a list, and its problems, to which more may be added; raise `FileRefused`.

    A column of addresses is known by its name, and further columns do not matter. Without one, a list of addresses is
    read, one or several a line, such as `Dora Dai <dora@example.org>`.
    """
    table = read_table(path, name, encoding=encoding, sheet=sheet)
    columns = _columns(table)
    if "email" in columns:
        table.problems.refuse_if_any()
        return [_person(place, cells, columns, table) for place, cells in table], table.problems
    problems = Problems(table.name)
    if table.kind == "csv" and any("@" in column for column in table.columns):
        with path.open(encoding=table.encoding) as file:
            return [
                one for number, line in enumerate(file, 1) for one in _listed(Place(number), line)
            ], problems
    if table.kind == "xlsx" and any("@" in column for column in table.columns):
        return list(_listed_in_sheet(table)), problems
    if table.columns:
        problems.add(0, "email", _("no such column; there are: %(columns)s"), columns=table.columns_shortly)
        problems.refuse_if_any()
    return [], problems


def _columns(table: Table) -> dict[str, str]:
    """Return the columns that are read, by what they are."""
    plain = {SEPARATORS.sub("", column.lower()): column for column in reversed(table.columns)}
    found = {
        kind: next((plain[name] for name in names.split() if name in plain), "")
        for kind, names in NAMES.items()
    }
    return {kind: column for kind, column in found.items() if column}


def _person(place: Place, cells: dict[str, object], columns: dict[str, str], table: Table) -> Person:
    said = {kind: str(text_of(cells.get(column), table) or "").strip() for kind, column in columns.items()}
    email, name = said["email"], said.get("name", "")
    if named := NAMED.fullmatch(email):
        email, name = named["email"].strip(), name or named["name"].strip()
    name = name or f"{said.get('first name', '')} {said.get('last name', '')}".strip()
    return Person(place, email, name, said.get("group", ""))


def _listed_in_sheet(table: Table) -> Iterator[Person]:
    """Yield the people of a sheet without a header, whose first row was taken for one."""
    yield from _listed(Place(1, "row", table.sheet), ", ".join(table.columns))
    for place, cells in table:
        yield from _listed(place, ", ".join(str(cell) for cell in cells.values()))


def _listed(place: Place, line: str) -> Iterator[Person]:
    """Yield the people in a line: addresses with names in front, or addresses alone."""
    line = line.strip("\ufeff \t\r\n,;")
    if "<" in line:
        for named in NAMED.finditer(line):
            yield Person(place, named["email"].strip(), named["name"].strip(" ,;"))
    elif line:
        for email in BETWEEN_ADDRESSES.split(line):
            yield Person(place, email)
