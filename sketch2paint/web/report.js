const { networks, metrics, values } = JSON.parse(document.querySelector("#data").textContent);
const metric = document.querySelector("#metric");
const network = document.querySelector("#network");
const direction = document.querySelector("#direction");
const told = document.querySelector("output");
const main = document.querySelector("main");
const cards = [...main.querySelectorAll(".card")];
const viewer = new Viewer(cards, (card) => {
  const results = values[card.dataset.number]; // the sketch stands before, the truth behind
  return [...card.querySelectorAll("img")].map((picture, n) => pane(picture, results[n - 1]));
});
let down = false;

networks.forEach((one, a) => {
  network.add(new Option(one, a));
});
networks.forEach((one, a) => {
  networks.forEach((other, b) => {
    if (a < b) network.add(new Option(`${one} \u2212 ${other}`, `${a} ${b}`));
  });
});
network.hidden = networks.length < 2;

function text(value, which) {
  return value === null ? "n/a" : value.toFixed(metrics[which][1]);
}

// The value that is sorted by; null where there is none.
function key(number, which) {
  const [a, b] = network.value.split(" ").map((n) => values[number][n][which]);
  if (b === undefined) return a;
  return a === null || b === null ? null : a - b;
}

function sort() {
  const which = metric.value === "" ? null : Number(metric.value);
  const place = (card) => Number(card.dataset.number);
  const keys = values.map((_, number) => (which === null ? number : key(number, which)));
  viewer.cards = [...cards].sort((one, other) => {
    const a = keys[place(one)];
    const b = keys[place(other)];
    if (a === null || b === null) return (a === null) - (b === null); // n/a stays last
    return (down ? b - a : a - b) || place(one) - place(other);
  });
  for (const card of cards) {
    card.querySelector(".value").textContent = which === null ? "" : text(keys[place(card)], which);
  }
  main.replaceChildren(...viewer.cards);
  tell(which);
}

// Say in the form what the order means.
function tell(which) {
  const [backwards, forwards] =
    which === null ? ["Backwards", "Forwards"] : ["Highest first", "Lowest first"];
  direction.textContent = down ? backwards : forwards;
  const better = which === null ? "" : metrics[which][2];
  const words = { higher: "higher is better", lower: "lower is better", one: "1 is the truth's" };
  told.textContent = better && (network.value.includes(" ") ? "difference" : words[better]);
}

function pane(thumb, results) {
  const { figure } = Viewer.framed(thumb, thumb.src);
  const list = document.createElement("dl");
  for (const option of results ? [...metric.options].slice(1) : []) {
    const term = document.createElement("dt");
    const value = document.createElement("dd");
    term.append(option.text);
    value.append(text(results[option.value], option.value));
    list.append(term, value);
  }
  figure.append(list);
  return figure;
}

metric.onchange = sort;
network.onchange = sort;
direction.onclick = () => {
  down = !down;
  sort();
};
document.addEventListener("keydown", (event) => {
  // in the closed form's lists arrows choose
  if (viewer.dialog.open || !event.target.closest?.("form")) viewer.step(event);
});
sort();
