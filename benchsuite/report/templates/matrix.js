// Show one page of the matrix at a time: thousands of cells in the document would make it slow.
(() => {
  let page = 50;
  const data = JSON.parse(document.getElementById("data").textContent);
  const get = (id) => document.getElementById(id);
  const [metricPick, formPick, referencePick, words] = ["metric", "form", "reference", "words"].map(get);
  const body = get("cells").tBodies[0];
  let first = 0;

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // A speed is so many times the reference's, more being faster; any other figure says by how much it differs.
  const against = (metric, value, base) => {
    if (metric.speed) return `${fixed(metric.smaller ? base / value : value / base, 2)} ×`;
    if (metric.points) return say("{1} points", signed((value - base) * metric.points, 2));
    return say("{1} %", signed((value / base - 1) * 100, 1));
  };

  const cell = (row, column, metric, figures, best) => {
    const value = figures[column];
    const place = make("td", "number");
    if (value === null) {
      place.textContent = "–";
      place.title = data.reasons[row.reasons[column]] || say("not measured");
      return place;
    }
    const base = figures[Number(referencePick.value)];
    // What is 0 has no multiple and no share.
    const ratio = base === null || (!metric.points && !(base && value)) ? null : against(metric, value, base);
    const form = formPick.value;
    const main = form !== "ratio" ? shown(value, metric.decimals) : ratio === null ? "–" : ratio;
    const why = metric.speed && data.reasons[row.voids[column]];
    if (why) {
      const struck = make("s", "", main);
      struck.title = why;
      place.append(struck, make("span", "void", say("void")));
    } else place.append(main);
    if (value === best && !why) {
      place.classList.add("best");
      place.append(make("span", "star", " ★"), make("span", "unseen", ` ${say("best")}`));
    }
    const small = [];
    if (form === "both" && ratio !== null) small.push(ratio);
    if (metric.key === "latency" && row.places[column]) small.push(`#${row.places[column]}`);
    if (small.length) place.append(make("small", "", small.join(" · ")));
    return place;
  };

  const draw = () => {
    const metric = data.metrics.find((it) => it.key === metricPick.value);
    const wanted = words.value.toLowerCase().split(/\s+/);
    const rows = data.rows.filter((row) => {
      const text = `${row.name} ${row.id} ${row.recipe} ${data.groups[row.group]}`.toLowerCase();
      return wanted.every((word) => text.includes(word));
    });
    first = Math.min(first, Math.max(0, Math.floor((rows.length - 1) / page) * page));
    const listed = rows.slice(first, first + page);
    const fragment = document.createDocumentFragment();
    let group = null;
    for (const row of listed) {
      if (row.group !== group) {
        group = row.group;
        const line = make("tr", "grouped");
        const heading = make("th", "name", data.groups[group]);
        heading.scope = "rowgroup";
        heading.colSpan = data.columns + 1;
        line.append(heading);
        fragment.append(line);
      }
      const line = make("tr");
      const heading = make("th", "name", row.name);
      heading.scope = "row";
      heading.title = row.id;
      if (row.recipe) heading.append(make("small", "", say("recipe {1}", row.recipe)));
      line.append(heading);
      const figures = row.figures[metric.key];
      // Speeds of two runs were not taken side by side, so none of them is the best.
      const known = metric.speed ? [] : figures.filter((value) => value !== null);
      const best = known.length > 1 ? Math[metric.smaller ? "min" : "max"](...known) : undefined;
      for (let column = 0; column < data.columns; column++) line.append(cell(row, column, metric, figures, best));
      fragment.append(line);
    }
    body.replaceChildren(fragment);
    get("place").textContent = rows.length
      ? say("cases {1} to {2} of {3}", first + 1, first + listed.length, rows.length)
      : say(data.rows.length ? "no case has all these words" : "no case was measured");
    get("back").disabled = first === 0;
    get("on").disabled = first + page >= rows.length;
  };

  for (const pick of [metricPick, formPick, referencePick]) pick.addEventListener("change", draw);
  words.addEventListener("input", () => { first = 0; draw(); });
  get("back").addEventListener("click", () => { first -= page; draw(); });
  get("on").addEventListener("click", () => { first += page; draw(); });
  // Paper has no next page to turn to.
  addEventListener("beforeprint", () => { page = data.rows.length; first = 0; draw(); });
  addEventListener("afterprint", () => { page = 50; draw(); });
  draw();
})();
