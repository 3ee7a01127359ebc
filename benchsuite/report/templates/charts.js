// Draw a figure in the colours of the page's theme; draw all again when theme or medium change.
const Charts = (() => {
  const root = document.documentElement;
  const narrow = matchMedia("(max-width: 600px)");
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  const show = (id, figure) => {
    const place = document.getElementById(id);
    const ink = colour("--ink");
    const axis = { gridcolor: colour("--line"), linecolor: colour("--line"), zeroline: false, automargin: true };
    const layout = figure.layout;
    const named = figure.data.filter((trace) => trace.name && trace.showlegend !== false).length;
    const low = place.dataset.low !== undefined;
    // A legend under the chart needs its own room.
    place.style.height = narrow.matches && !low && layout.showlegend !== false ? `${380 + 21 * named}px` : place.dataset.height;
    Object.assign(layout, {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink, family: getComputedStyle(document.body).fontFamily, size: 12 },
      margin: { l: 56, r: 12, t: 16, b: 48 },
      hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--line"), font: { color: ink } },
      legend: !narrow.matches ? { y: 1, traceorder: "normal" }
        : low ? { orientation: "h", y: 1.02, yanchor: "bottom" }
          : { orientation: "h", y: -70 / 330, yanchor: "top" },
    });
    Object.assign(layout.xaxis, axis);
    Object.assign(layout.yaxis, axis);
    for (const shape of layout.shapes || []) shape.line.color = colour("--muted");
    for (const note of layout.annotations || []) note.font = { color: colour("--muted"), size: 11 };
    for (const trace of figure.data) {
      if (trace.line && !trace.line.color) trace.line.color = colour("--muted");
      // The bars' texts are long, and say themselves which case they are.
      if (trace.type === "bar" && narrow.matches) layout.margin.l = 8;
    }
    Plotly.react(place, figure.data, layout, { responsive: true, displayModeBar: false });
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
