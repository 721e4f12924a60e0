// The page of a search: the query large, its matches as cards, the nearest first.

let resultFigures = [];
const HUES = { query: 28, plain: 250, mirrored: 155 };

function showResults() {
  resultFigures.forEach((figure) => loop.remove(figure));
  resultFigures = [];
  const dark = isDark();
  const tints = Object.fromEntries(Object.entries(HUES).map(([name, hue]) => [name, tintsOf(hue, 0, dark)]));
  byId("query").replaceChildren(queryStage(tints.query), queryFacts());
  const cards = index.cards.slice(1);
  const furthest = Math.max(0.001, ...cards.map((card) => card.distance));
  byId("matches").replaceChildren(...cards.map((card, k) => matchCard(card, k + 1, furthest, card.mirrored ? tints.mirrored : tints.plain)));
  byId("empty").hidden = cards.length > 0;
}

function figureOf(canvas, clip, card, tints, options) {
  const figure = new LoopFigure(canvas, [[clip, 0, card.end - card.start]], { tints, parts: card.parts }, options);
  resultFigures.push(figure);
  return figure;
}

function queryStage(tints) {
  const canvas = el("canvas", { role: "img", "aria-label": `The query: ${index.words}; drag to turn` });
  const stage = el("div", { class: "figure large" }, canvas);
  stage.style.background = tints.stage;
  const figure = figureOf(canvas, 0, index.cards[0], tints, { orbit: true });
  figure.urgent = true;
  hoverPlays(stage, figure);
  return stage;
}

function queryFacts() {
  const card = index.cards[0], clip = index.clips[0];
  const facts = [
    ["What it does", index.words], ["From", `${sayTime(card.start)} to ${sayTime(card.end)}`],
    ["Lasts", sayDuration(card.end - card.start)], ["File", clip.source],
  ];
  return el("div", { class: "motif-side" },
    el("h2", { class: "query-head" }, "The query"),
    el("dl", { class: "facts-list" }, facts.map(([k, v]) => [el("dt", {}, k), el("dd", {}, v)])),
    el("p", { class: "note" }, "Matches may be faster or slower, mirrored, and of another body. How far away one is, is said in centimetres a joint, the root of the mean square over joints and time."));
}

function matchCard(card, rank, furthest, tints) {
  const clip = index.clips[rank];
  const canvas = el("canvas", { role: "img", "aria-label": `Match ${rank} in ${clip.name}` });
  const stage = el("div", { class: "figure" }, canvas);
  stage.style.background = tints.stage;
  hoverPlays(stage, figureOf(canvas, rank, card, tints));
  const bar = el("i");
  bar.style.width = `${Math.max(2, (100 * card.distance) / furthest)}%`;
  bar.style.background = tints.solid;
  return el("article", { class: "card", "data-rank": rank },
    stage,
    el("div", { class: "card-head" }, swatch(tints), el("h3", { class: "name-holder match-name", title: clip.source }, `${rank}. ${clip.name}`)),
    el("p", { class: "words" }, `${sayTime(card.start)} to ${sayTime(card.end)}`),
    el("p", { class: "facts" }, [sayTempo(card.tempo), card.mirrored ? "mirrored" : null].filter(Boolean).join(" · ")),
    el("p", { class: "facts apart" }, `${(100 * card.distance).toFixed(1)} cm a joint`, el("span", { class: "far", "aria-hidden": "true" }, bar)));
}

/** `as fast`, `1.2 times as fast`. */
function sayTempo(tempo) {
  const speed = 1 / tempo;
  return Math.abs(speed - 1) < 0.05 ? "as fast" : `${speed.toFixed(1)} times as fast`;
}

function resultsCsv() {
  const lines = index.cards.slice(1).map((card, k) => [
    k + 1, cell(index.clips[k + 1].source), card.start.toFixed(3), card.end.toFixed(3),
    (100 * card.distance).toFixed(2), card.mirrored ? "yes" : "no", card.tempo.toFixed(3),
  ].join(","));
  return `rank,file,start,end,distance_cm,mirrored,tempo\r\n${lines.map((line) => `${line}\r\n`).join("")}`;
}

function startResults() {
  if (!showLead(index.title, index.lead)) return;
  themeButton(byId("theme"), showResults);
  byId("csv").prepend(icon("download"));
  byId("csv").addEventListener("click", () => download("matches.csv", "text/csv", resultsCsv()));
  pauseButton();
  showResults();
  document.documentElement.dataset.ready = "true";
}

startResults();
