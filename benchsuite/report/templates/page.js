// Draw every chart of the page; where one case is picked, only its series.
(() => {
  const draw = () => {
    for (const source of document.querySelectorAll("script[data-chart]")) {
      const id = source.dataset.chart;
      // What is folded has no size to draw into.
      if (document.getElementById(id).closest("details:not([open])")) continue;
      const picker = document.querySelector(`select[data-picks~="${id}"]`);
      Drawing.show(id, JSON.parse(source.textContent), picker && Number(picker.value));
    }
  };

  const unfold = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const part = target && target.closest("details");
    if (part) part.open = true;
  };

  unfold();
  addEventListener("hashchange", unfold);
  for (const part of document.querySelectorAll("details.part")) part.addEventListener("toggle", draw);
  // A link to the part that is shown already changes no hash.
  addEventListener("click", (event) => { if (event.target.closest("a[href^='#']")) setTimeout(unfold); });
  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details.part, details.inline")) part.open = true;
  });
  for (const picker of document.querySelectorAll("select[data-picks]")) picker.addEventListener("change", draw);
  Drawing.always(draw);
})();
