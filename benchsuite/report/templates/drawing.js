// Draw charts with Plotly in the colours of the page's theme: the one script that knows what a library wants.
const Drawing = (() => {
  const SCALES = { linear: "linear", log: "log", names: "category" };
  const SHAPES = { straight: "linear", steps: "hv", "centred steps": "hvh" };
  const SYMBOLS = {
    circle: "circle", diamond: "diamond", square: "square", triangle: "triangle-up", cross: "x-thin-open", tick: "line-ns-open",
  };
  const HOVERS = { figures: "all", notes: "text", nothing: "skip" };
  // Whether a rise is good or bad is not the chart's to say.
  const [RISE, FALL] = ["#D55E00", "#0072B2"];
  const root = document.documentElement;
  const narrow = matchMedia("(max-width: 600px)");
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  // Plotly reads some markup in texts, and takes entities back.
  const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const cell = (value) => (typeof value === "string" ? plain(value) : value);
  const firsts = (series) => series.points.map(([first]) => cell(first));
  const seconds = (series) => series.points.map(([, second]) => second);
  const shade = (series) => series.colour || colour("--muted");
  const hover = (series) => series.notes.map((note) => {
    const [heading, ...lines] = note.split("\n").map(plain);
    return lines.length ? [`<b>${heading}</b>`, ...lines].join("<br>") : heading;
  });

  const whiskers = (intervals, values) => intervals.length ? {
    type: "data", symmetric: false, thickness: 1, width: 2,
    array: intervals.map(([, high], place) => high - values[place]),
    arrayminus: intervals.map(([low], place) => values[place] - low),
  } : undefined;

  const picked = (it, pick) => it.pick === null || pick === null || it.pick === pick;

  const point = (series, pick) => {
    const [x, y, name, own] = [firsts(series), seconds(series), plain(series.name), shade(series)];
    const mode = [series.join && "lines", series.mark && "markers", series.labelled && "text"].filter(Boolean).join("+");
    return {
      type: "scatter", mode, name, x, y,
      showlegend: series.in_legend,
      visible: picked(series, pick),
      line: { color: own, width: series.line_px, dash: series.dash, shape: SHAPES[series.join] },
      marker: {
        color: own, size: series.mark_px, opacity: series.faint ? 0.4 : 1,
        symbol: series.mark && SYMBOLS[series.mark] + (series.hollow ? "-open" : ""),
      },
      hoverinfo: HOVERS[series.hover], hovertext: hover(series),
      error_x: whiskers(series.x_intervals, x), error_y: whiskers(series.y_intervals, y),
      ...(series.labelled && { text: x.map(() => name), textposition: "bottom center", cliponaxis: false }),
    };
  };

  // The library's traces of each kind of chart.
  const KINDS = {
    xy: (chart, pick) => chart.series.map((series) => point(series, pick)),
    bars: (chart) => chart.series.map((series) => ({
      type: "bar", orientation: "h", name: plain(series.name), x: seconds(series), y: firsts(series),
      marker: { color: shade(series) }, error_x: whiskers(series.x_intervals, seconds(series)),
    })),
    waterfall: (chart) => chart.series.map((series) => ({
      type: "waterfall", showlegend: false, x: firsts(series), y: seconds(series),
      measure: series.points.map((_, place) => (place % (series.points.length - 1) ? "relative" : "absolute")),
      increasing: { marker: { color: RISE } }, decreasing: { marker: { color: FALL } },
      totals: { marker: { color: shade(series) } },
    })),
    icicle: (chart) => chart.series.map((series) => ({
      type: "icicle", ids: series.points.map((_, place) => String(place)), labels: firsts(series), values: seconds(series),
      parents: series.parents.map((parent) => (parent < 0 ? "" : String(parent))), branchvalues: "remainder",
      hovertemplate: `%{label}<br>%{value:${chart.z.format}} ${plain(chart.z.unit)}<extra></extra>`,
    })),
    heat: (chart) => {
      const columns = [...new Set(chart.series.flatMap(firsts))];
      const rows = chart.series.map((series) => {
        const values = new Map(series.points.map(([column, value]) => [cell(column), value]));
        return columns.map((column) => values.get(column));
      });
      return [{
        type: "heatmap", x: columns, y: chart.series.map((series) => plain(series.name)), z: rows, hoverongaps: false,
        colorscale: "Cividis", texttemplate: `%{z:${chart.z.format}}`, colorbar: { title: { text: plain(chart.z.title) } },
      }];
    },
  };

  const axis = (it) => ({
    // Decimals come close to their axis' title.
    title: it.title ? { text: plain(it.title), standoff: it.format.endsWith("f") ? 14 : undefined } : undefined,
    type: SCALES[it.scale], tickformat: it.format,
    rangemode: it.from_zero ? "tozero" : "normal", range: it.bounds || undefined,
    ...(it.ticks.length && { tickvals: it.ticks, ticktext: it.ticks.map(String) }),
    gridcolor: colour("--line"), linecolor: colour("--line"), zeroline: false, automargin: true,
  });

  const crossing = (line) => ({
    type: "line", xref: "paper", x0: 0, x1: 1, y0: line.value, y1: line.value,
    line: { dash: line.dash, width: 1, color: colour("--muted") },
  });

  const note = (line) => ({
    xref: "paper", x: line.end === "left" ? 0 : 1, xanchor: line.end, y: line.value, text: plain(line.note),
    yanchor: line.side === "above" ? "bottom" : "top", showarrow: false, font: { color: colour("--muted"), size: 11 },
  });

  // Draw a chart into the element of this id; of the series and lines that have a pick, those of the given one.
  const show = (id, chart, pick = null) => {
    const place = document.getElementById(id);
    const ink = colour("--ink");
    const traces = KINDS[chart.kind](chart, pick);
    const listed = traces.filter((trace) => trace.name && trace.showlegend !== false);
    const lines = chart.references.filter((line) => picked(line, pick));
    const low = place.dataset.low !== undefined;
    // A legend under the chart needs its own room.
    place.style.height = narrow.matches && !low ? `${380 + 21 * listed.length}px` : place.dataset.height;
    const layout = {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink, family: getComputedStyle(document.body).fontFamily, size: 12 },
      // The names beside bars are long, and say themselves what they name.
      margin: { l: chart.kind === "bars" && narrow.matches ? 8 : 56, r: 12, t: 16, b: 48 },
      hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--line"), font: { color: ink } },
      legend: !narrow.matches ? { y: 1, traceorder: "normal" }
        : low ? { orientation: "h", y: 1.02, yanchor: "bottom" }
          : { orientation: "h", y: -70 / 330, yanchor: "top" },
      xaxis: axis(chart.x),
      yaxis: axis(chart.y),
      shapes: lines.map(crossing),
      annotations: lines.filter((line) => line.note).map(note),
      barmode: "stack",
    };
    // Names of runs along the foot are long.
    if (chart.kind === "xy" && chart.x.scale === "names") Object.assign(layout.xaxis, { nticks: narrow.matches ? 3 : 8, tickangle: 0 });
    if (chart.kind === "heat") layout.yaxis.autorange = "reversed";
    Plotly.react(place, traces, layout, { responsive: true, displayModeBar: false });
  };

  const always = (draw) => {
    draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    narrow.addEventListener("change", draw);
    addEventListener("beforeprint", () => { root.classList.add("paper"); draw(); });
    addEventListener("afterprint", () => { root.classList.remove("paper"); draw(); });
  };

  return { show, always };
})();
