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
    const metric = data.metrics.find((it) => it.key === metricPick.value);
    const course = data.series[Number(seriesPick.value)].courses[metric.key];
    return { metric, course: course || { runs: [], values: [], levels: [] } };
  };

  const level = (course, place) => course.levels.find(([start, end]) => place >= start && place < end)[2];

  const chart = () => {
    const { metric, course } = chosen();
    const names = course.runs.map((run) => data.runs[run].name);
    const title = metric.unit ? `${metric.heading}, ${metric.unit}` : metric.heading;
    Charts.show("course", {
      data: [
        {
          type: "scatter", mode: "lines+markers", name: title, x: names, y: course.values,
          line: { width: 1, color: "#0072B2" }, marker: { size: 7, color: "#0072B2" },
          text: course.runs.map((run) => `${data.runs[run].started}, ${data.runs[run].effort}`),
          hovertemplate: "%{x}<br>%{y}<br>%{text}<extra></extra>",
        },
        {
          type: "scatter", mode: "lines", name: say("level"), x: names,
          y: course.values.map((_, place) => level(course, place)),
          line: { shape: "hvh", width: 3, color: "#D55E00" }, hoverinfo: "skip",
        },
      ],
      layout: {
        xaxis: { title: { text: say("run") }, type: "category", nticks: matchMedia("(max-width: 600px)").matches ? 3 : 8, tickangle: 0 },
        yaxis: { title: { text: title }, rangemode: "tozero" },
      },
    });
  };

  const table = () => {
    const { course } = chosen();
    const rows = course.runs.map((run, place) => {
      const line = document.createElement("tr");
      const heading = make("th", "name", data.runs[run].name);
      heading.scope = "row";
      const changed = place > 0 && course.levels.some(([start]) => start === place);
      line.append(
        heading, make("td", "", data.runs[run].started), make("td", "", data.runs[run].effort),
        make("td", "number", digits(course.values[place])), make("td", "number", digits(level(course, place))),
        make("td", "", changed ? say("new level") : ""),
      );
      return line;
    });
    body.replaceChildren(...rows.slice(-PAGE).reverse());
    get("place").textContent = rows.length > PAGE ? say("the newest {1} of {2} runs", PAGE, rows.length)
      : rows.length ? "" : say("not measured in any of these runs");
  };

  const show = () => { chart(); table(); };
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
  Charts.always(chart);
})();
