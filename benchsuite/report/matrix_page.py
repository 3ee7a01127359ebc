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
            "figures": {figure.key: row.values[figure.key] for figure in matrix.figures},
            "places": row.places,
            "reasons": [numbers[reason] for reason in row.reasons],
            "voids": [numbers[reason] for reason in row.voids],
        }
        for row in matrix.rows
    ]
    data = {
        "columns": len(matrix.columns),
        "groups": [speech.say(group) for group in matrix.groups],
        "metrics": [
            {
                "key": it.key,
                "smaller": it.better == "less",
                "speed": it.speed,
                "decimals": it.unit.decimals,
                "points": it.unit.points,
            }
            for it in matrix.figures
        ],
        "reasons": [speech.say(reason) for reason in reasons],
        "rows": rows,
    }
    return fill("matrix.html.j2", lang, matrix=matrix, data=data)
