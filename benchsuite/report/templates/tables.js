// Sort a table by the heading that is pressed, and filter its rows by what is typed.
(() => {
  // The first text of a cell is its figure; a second line stands in an element of its own.
  const figure = (cell) => {
    // A row may say in one cell why it has no figures.
    if (!cell) return "";
    const text = (cell.querySelector("span:not(.star, .star *, .badge, .badge *), s, code") || cell).firstChild;
    return (text ? text.textContent : "").trim();
  };
  // A run's name and a date begin with figures too, and sort as texts.
  const number = (text) => (/^[+\-\u2212]?[\d,]+(\.\d+)?(?![\d.:/-])/.test(text)
    ? parseFloat(text.replaceAll(",", "").replace("\u2212", "-")) : NaN);

  const compare = (one, other) => {
    const [left, right] = [number(one), number(other)];
    if (!isNaN(left) && !isNaN(right)) return left - right;
    // What is absent comes last.
    if (isNaN(left) !== isNaN(right)) return isNaN(left) ? 1 : -1;
    return one.localeCompare(other);
  };

  const sort = (table, heading, column) => {
    const falling = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows].map((row) => [figure(row.cells[column]), row]);
    rows.sort(([one], [other]) => {
      const order = compare(one, other);
      const known = !isNaN(number(one)) === !isNaN(number(other));
      return falling && known ? -order : order;
    });
    table.tBodies[0].append(...rows.map(([, row]) => row));
  };

  // Headings in the order of the columns under them, whatever spans several.
  const leaves = (table) => {
    const [first, second] = table.tHead.rows;
    if (!second) return [...first.cells];
    return [...[...first.cells].filter((cell) => cell.rowSpan > 1), ...second.cells];
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    leaves(table).forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => sort(table, heading, column));
    });
    // Fewer rows are seen at a glance.
    if (table.tBodies[0].rows.length < (table.classList.contains("main") ? 8 : 20)) continue;
    const label = document.createElement("label");
    label.className = "filter";
    const box = document.createElement("input");
    box.type = "search";
    label.append(`${say("Filter")} `, box);
    table.closest(".scroll").before(label);
    box.addEventListener("input", () => {
      const words = box.value.toLowerCase().split(/\s+/);
      for (const row of table.tBodies[0].rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
    });
  }
})();
