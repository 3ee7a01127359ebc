"""The page of several runs side by side."""

from __future__ import annotations

from benchsuite.report.html import fill
from benchsuite.report.matrix import Matrix
from benchsuite.terms.language import ENGLISH, language


def matrix_page(matrix: Matrix, lang: str = ENGLISH) -> str:
    """Return the page of several runs side by side as HTML."""
    speech = language(lang)
    # A reason that many cells share is written once.
    reasons = list(dict.fromkeys(reason for row in matrix.rows for reason in (*row.reasons, *row.voids)))
    numbers = {reason: number for number, reason in enumerate(reasons)}
    rows = [
        {
            "group": row.group,
            "name": speech.say(row.name),
            "id": row.case_id,
            "recipe": row.recipe,
            "figures": {
                metric.key: [None if figure is None else float(f"{figure:.5g}") for figure in row.figures[metric.key]]
                for metric in matrix.metrics
            },
            "ranks": row.ranks,
            "reasons": [numbers[reason] for reason in row.reasons],
            "voids": [numbers[reason] for reason in row.voids],
        }
        for row in matrix.rows
    ]
    data = {
        "columns": len(matrix.columns),
        "groups": [speech.say(group) for group in matrix.groups],
        "metrics": [{"key": metric.key, "smaller": metric.smaller, "speed": metric.speed} for metric in matrix.metrics],
        "reasons": [speech.say(reason) for reason in reasons],
        "rows": rows,
    }
    return fill("matrix.html.j2", lang, matrix=matrix, data=data)
