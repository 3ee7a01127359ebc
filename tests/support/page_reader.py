"""A page as its reader meets it: tags, text, and tables whose rows go by their headings."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Cell:
    """One cell of a table, and how many columns and rows it spans."""

    text: str = ""
    columns: int = 1
    rows: int = 1


@dataclass
class Table:
    """The rows above and below a table's rule."""

    head: list[list[Cell]] = field(default_factory=list)
    body: list[list[Cell]] = field(default_factory=list)

    @property
    def headings(self) -> list[str]:
        """Return a heading a column; one that stands under another begins with it: `Memory: peak MB`."""
        if len(self.head) == 1:
            return [cell.text for cell in self.head[0]]
        (over, under), found = self.head, []
        left = iter(under)
        for cell in over:
            parts = [""] if cell.rows > 1 else [f": {next(left).text}" for _ in range(cell.columns)]
            found += [cell.text + part for part in parts]
        return found

    def row(self, *start: str) -> dict[str, str]:
        """Return the texts of the first row that starts with these cells, by their headings."""
        rows = [[cell.text for cell in row] for row in self.body]
        return dict(zip(self.headings, next(row for row in rows if tuple(row[: len(start)]) == start), strict=True))


class PageReader(HTMLParser):
    """Collect the tags, the text and the tables of a page; a void figure counts as text, a script does not."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[Table] = []
        self.text = ""
        self._raw = self._in_head = False
        self._cell: Cell | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        self._raw = tag in ("script", "style")
        if tag == "table":
            self.tables.append(Table())
        elif tag == "thead":
            self._in_head = True
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._cell = Cell(columns=int(given.get("colspan") or 1), rows=int(given.get("rowspan") or 1))
            self._rows[-1].append(self._cell)
        elif tag == "small":
            # A second line.
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._raw = False
        elif tag == "thead":
            self._in_head = False
        elif tag in ("td", "th") and self._cell is not None:
            self._cell.text = " ".join(self._cell.text.split())
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._raw:
            return
        self.text += data
        if self._cell is not None:
            self._cell.text += data

    @property
    def _rows(self) -> list[list[Cell]]:
        return self.tables[-1].head if self._in_head else self.tables[-1].body

    def table(self, *headings: str) -> Table:
        """Return the first table whose headings start so."""
        return next(it for it in self.tables if tuple(it.headings[: len(headings)]) == headings)
