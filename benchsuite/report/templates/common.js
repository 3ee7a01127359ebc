// Three significant digits, whole numbers kept whole, as everywhere in the report.
const digits = (value) => {
  if (value === 0) return "0";
  const places = Math.min(20, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
  return value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
};

// What scripts say, in the page's language; values fill the places {1}, {2}.
const say = (() => {
  const texts = JSON.parse(document.getElementById("texts").textContent);
  return (text, ...values) => texts[text].replace(/\{(\d)\}/g, (_, place) => values[place - 1]);
})();
