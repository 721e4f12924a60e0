// The page of a composition: both clips and the result, in step; every limb in the colour of the clip that gives it.

let shownFigures = [];
const CLIP_HUES = [28, 250];

/** A figure that keeps step with the others: its time is the page's, not its own. */
class InStep extends LoopFigure {
  advance(_seconds, start, end) { this.time = start + Math.min(pageClock.now() % (end - start + 0.45), end - start); }
}

/** Seconds that the page has played; it stands while everything is paused. */
const pageClock = {
  base: 0, since: performance.now(),
  now() { return this.base + (loop.paused ? 0 : (performance.now() - this.since) / 1000); },
  pause(paused) {
    if (paused) this.base += (performance.now() - this.since) / 1000;
    else this.since = performance.now();
    loop.pause(paused);
  },
};

function showComposition() {
  shownFigures.forEach((figure) => loop.remove(figure));
  shownFigures = [];
  const tints = CLIP_HUES.map((hue) => tintsOf(hue, 0, isDark()));
  const giver = new Map(index.parts.flatMap(({ limbs, share }) => limbs.map((limb) => [limb, share >= 0.5 ? 0 : 1])));
  const sources = [0, 1].map((k) => {
    const parts = index.parts.filter(({ share }) => (share >= 0.5 ? 0 : 1) === k).flatMap(({ limbs }) => limbs);
    return figureCard(k, index.names[k], { tints: tints[k], parts: [], coloursFor: (part) => (parts.includes(part) ? tints[k].near : tints[k].calm) });
  });
  const both = { tints: tints[0], parts: [], coloursFor: (part) => tints[giver.get(part) ?? 0].near };
  byId("figures").replaceChildren(...sources, figureCard(2, "both at once", both));
  byId("share-head").replaceChildren(el("tr", {}, el("th", {}, "part"), index.names.map((name, k) => [el("th", {}, swatch(tints[k]), ` ${name} gives`), el("th", {}, "and moves")])));
  byId("shares").replaceChildren(...index.parts.map((row) => shareRow(row, tints)));
}

function figureCard(clip, name, look) {
  const canvas = el("canvas", { role: "img", "aria-label": `${name}; drag to turn` });
  const stage = el("div", { class: "figure" }, canvas);
  stage.style.background = look.tints.stage;
  const figure = new InStep(canvas, [[clip, 0, index.clips[clip].seconds]], look, { orbit: true });
  figure.urgent = true;
  figure.zoom = 0.86; // room for hands above the head
  shownFigures.push(figure);
  hoverPlays(stage, figure);
  return el("article", { class: "card" }, stage, el("div", { class: "card-head" }, clip < 2 ? swatch(look.tints) : null, el("h3", { class: "match-name" }, name)));
}

function shareRow({ part, share, given, speeds }, tints) {
  return el("tr", {}, el("td", {}, part), [share, 1 - share].map((own, k) => {
    const bar = el("i");
    bar.style.width = `${100 * own}%`;
    bar.style.background = tints[k].solid;
    return [el("td", {}, el("span", { class: "far", "aria-hidden": "true" }, bar), `${given[k]} %`), el("td", {}, `${speeds[k]} cm/s`)];
  }));
}

function startComposition() {
  if (!showLead(index.title, index.lead)) return;
  const [before, after] = index.skate;
  byId("skate").textContent = before === null ? "No foot stands still in the clip that gives the legs."
    : `Feet that stand in the clip that gives the legs: ${before.toFixed(1)} cm/s over the floor when mixed, ${after.toFixed(1)} cm/s in the result.`;
  themeButton(byId("theme"), showComposition);
  pauseButton((paused) => pageClock.pause(paused));
  showComposition();
  document.documentElement.dataset.ready = "true";
}

startComposition();
