// What scripts say, in the page's language; values fill the places {1}, {2}.
const say = (() => {
  const texts = JSON.parse(document.getElementById("texts").textContent);
  return (text, ...values) => texts[text].replace(/\{(\d)\}/g, (_, place) => values[place - 1]);
})();
