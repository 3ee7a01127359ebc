// Show one figure of one case on one machine over time: its runs, its levels, and the same as a table.
(() => {
  const PAGE = 100;
  const data = JSON.parse(document.getElementById("data").textContent);
  const get = (id) => document.getElementById(id);
  const [seriesPick, metricPick, body] = [get("series"), get("metric"), get("points").tBodies[0]];

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.textContent = text;
    return element;
  };
  const chosen = () => {
    const course = data.series[Number(seriesPick.value)].courses[metricPick.value];
    return {
      chart: data.charts[metricPick.value], course: course || { runs: [], values: [], levels: [] },
      text: (value) => shown(value, data.decimals[metricPick.value]),
    };
  };

  const level = (course, place) => course.levels.find(([start, end]) => place >= start && place < end)[2];

  const draw = () => {
    const { chart, course, text } = chosen();
    const [figure, levels] = chart.series;
    const runs = course.runs.map((run) => data.runs[run]);
    figure.name = chart.y.title;
    figure.points = runs.map((run, place) => [run.name, course.values[place]]);
    figure.notes = runs.map((run, place) => `${run.name}\n${text(course.values[place])}\n${run.started}, ${run.effort}`);
    levels.points = runs.map((run, place) => [run.name, level(course, place)]);
    Drawing.show("course", chart);
  };

  const table = () => {
    const { course, text } = chosen();
    const rows = course.runs.map((run, place) => {
      const line = document.createElement("tr");
      const heading = make("th", "name", data.runs[run].name);
      heading.scope = "row";
      const changed = place > 0 && course.levels.some(([start]) => start === place);
      line.append(
        heading, make("td", "", data.runs[run].started), make("td", "", data.runs[run].effort),
        make("td", "number", text(course.values[place])), make("td", "number", text(level(course, place))),
        make("td", "", changed ? say("new level") : ""),
      );
      return line;
    });
    body.replaceChildren(...rows.slice(-PAGE).reverse());
    get("place").textContent = rows.length > PAGE ? say("the newest {1} of {2} runs", PAGE, rows.length)
      : rows.length ? "" : say("not measured in any of these runs");
  };

  const show = () => { draw(); table(); };
  for (const pick of [seriesPick, metricPick]) pick.addEventListener("change", show);
  for (const button of document.querySelectorAll("button[data-series]")) {
    button.addEventListener("click", () => {
      seriesPick.value = button.dataset.series;
      if (button.dataset.metric) metricPick.value = button.dataset.metric;
      show();
      get("over-time").scrollIntoView();
      seriesPick.focus({ preventScroll: true });
    });
  }
  table();
  Drawing.always(draw);
})();
