// Draw every chart of the page; where one case is picked, only its traces.
(() => {
  const draw = () => {
    for (const source of document.querySelectorAll("script[data-figure]")) {
      // What is folded has no size to draw into.
      if (document.getElementById(source.dataset.figure).closest("details:not([open])")) continue;
      const figure = JSON.parse(source.textContent);
      const pick = document.querySelector(`select[data-picks~="${source.dataset.figure}"]`);
      // Traces are hidden but for those of one case; what shows beside every case says nothing of it.
      const per = figure.data.filter((trace) => "visible" in trace).length / (pick ? pick.options.length : 1);
      if (pick) {
        let number = 0;
        for (const trace of figure.data) {
          if ("visible" in trace) trace.visible = Math.floor(number++ / per) === Number(pick.value);
        }
      }
      Charts.show(source.dataset.figure, figure);
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
  for (const pick of document.querySelectorAll("select[data-picks]")) pick.addEventListener("change", draw);
  Charts.always(draw);
})();
