// Numbers are rounded once, as Python's format does: by their exact value, halves to the even digit.
// toFixed rounds exact values too, but halves up: 25 digits more tell a half from what is only near one.
const fixed = (value, places) => {
  const exact = value.toFixed(places + 25);
  const [kept, rest] = [exact.slice(0, -25).replace(/\.$/, ""), exact.slice(-25)];
  const isHalf = rest === `5${"0".repeat(24)}`;
  const text = isHalf && "02468".includes(kept.at(-1)) ? kept : value.toFixed(places);
  const [whole, part] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",").replace("-", "\u2212");
  return part === undefined ? grouped : `${grouped}.${part}`;
};

// Three significant digits, whole numbers kept whole, as everywhere in the report.
const digits = (value) => {
  if (value === 0) return "0";
  const exponent = Number(value.toExponential(2).split("e")[1]);
  return fixed(value, Math.min(70, Math.max(0, 2 - exponent)));
};

// A figure by how many decimals its unit has; null are three significant digits.
const shown = (value, decimals) => (decimals === null ? digits(value) : fixed(value, decimals));

// A change with its sign, unless it rounds to nothing.
const signed = (value, decimals) => {
  const text = fixed(Math.abs(value), decimals);
  return Number(text.replaceAll(",", "")) === 0 ? text : (value > 0 ? "+" : "\u2212") + text;
};

// What scripts say, in the page's language; values fill the places {1}, {2}.
const say = (() => {
  const texts = JSON.parse(document.getElementById("texts").textContent);
  return (text, ...values) => texts[text].replace(/\{(\d)\}/g, (_, place) => values[place - 1]);
})();
