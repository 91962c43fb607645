"""Write the rules of a plan, and the sheet of numbers beside them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from hayflick.core.errors import ArgumentError
from hayflick.core.output import check_not_input, check_writable, write_text
from hayflick.planning.plan import Plan
from hayflick.report.kpi_sheet import kpi_csv, kpi_page
from hayflick.report.language import Language
from hayflick.rules.from_plan import PlannedRules, rules_from_plan


def rules_files(path: str | os.PathLike[str]) -> tuple[Path, Path, Path]:
    """Return the files that are written: the rules, the sheet as a page and as a table.

    Raises
    ------
    ArgumentError
        If the name is not one of a TOML file.

    Examples
    --------
    >>> [str(path) for path in rules_files("rules.toml")]
    ['rules.toml', 'rules-kpi.html', 'rules-kpi.csv']
    """
    rules = Path(path)
    if rules.suffix.lower() != ".toml":
        raise ArgumentError("write_rules", got=str(path), takes="a file name that ends in .toml")
    sheets = (rules.with_name(f"{rules.stem}-kpi{suffix}") for suffix in (".html", ".csv"))
    return (rules, *sheets)  # type: ignore[return-value]


def check_rules_files(
    path: str | os.PathLike[str],
    *,
    inputs: Iterable[str | os.PathLike[str] | None] = (),
    force: bool = False,
) -> None:
    """Refuse files that cannot be written, before any work starts.

    Raises
    ------
    ArgumentError
        If the name is not one of a TOML file.
    OutputError
        If one exists and `force` is not set, is an input, or cannot be written.
    """
    read = list(inputs)
    for one in rules_files(path):
        check_not_input(one, read)
        check_writable(one, force=force)


def write_rules(
    plan: Plan, path: str | os.PathLike[str], *, lang: str = "en", force: bool = False
) -> PlannedRules:
    """Write the rules that hold a plan's target, and their sheet in HTML and CSV beside them.

    Raises
    ------
    ArgumentError
        If the name is not one of a TOML file, or there is no such language.
    DataError
        If no rule can hold the target; nothing is written then.
    OutputError
        If a file exists and `force` is not set, or cannot be written.
    """
    Language(lang)
    check_rules_files(path, force=force)
    planned = rules_from_plan(plan)
    rules, page, numbers = rules_files(path)
    write_text(page, kpi_page(planned, lang=lang), force=force)
    write_text(numbers, kpi_csv(planned, lang=lang), force=force)
    write_text(rules, planned.text, force=force)
    return planned
