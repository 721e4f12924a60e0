// The gallery: a card for every motif, each looping real examples.

let galleryCards = new Map(); // what a card shows -> { card, figures }: cards that stay the same are kept

function showGallery(view, colours) {
  const keyOf = (group) => JSON.stringify([view.scaleNumber, isDark(), group.members]);
  const wanted = new Set(view.groups.map(keyOf));
  for (const [key, { figures }] of galleryCards) {
    if (wanted.has(key)) continue;
    figures.forEach((figure) => loop.remove(figure));
    galleryCards.delete(key);
  }
  lazyList(byId("cards"), view.groups, (group) => {
    const key = keyOf(group), figures = [];
    if (!galleryCards.has(key)) galleryCards.set(key, { card: motifCard(view, colours, group, figures), figures });
    return galleryCards.get(key).card;
  }, 40);
  byId("gallery-empty").hidden = view.groups.length > 0;
}

/** One motif's card; its figure is added to `figures`, so that it can be put away. */
function motifCard(view, colours, group, figures) {
  const tints = colours.groups[group.number];
  const where = `#motif/${encodeURIComponent(group.id)}`;
  const canvas = el("canvas", { role: "img", "aria-label": group.words });
  const progress = el("span", { class: "pips", "aria-hidden": "true" });
  const stage = el("a", { class: "figure", href: where, title: "Show every occurrence" }, canvas, progress);
  stage.style.background = tints.stage;
  if (group.examples.length) {
    const pips = group.examples.length > 1 ? group.examples.map(() => el("i")) : [];
    pips.forEach((pip) => { pip.style.background = tints.solid; });
    progress.append(...pips);
    const figure = new LoopFigure(canvas, group.examples, { tints, parts: group.parts }, {
      still: group.still,
      onExample: (which) => pips.forEach((pip, k) => pip.classList.toggle("on", k === which)),
    });
    hoverPlays(stage, figure);
    figures.push(figure);
  }
  return el("article", { class: "card", "data-motif": group.id },
    stage,
    el("div", { class: "card-head" }, swatch(tints), nameField(group)),
    wordsLine(group),
    el("p", { class: "facts" }, `${times(group.count)} · ${sayDuration(group.mean)} each`),
    el("p", { class: "more" }, el("a", { href: `${where}/similar` }, "More like this"), el("span", { class: "id", title: "The motif's id, as kineme name and the CSV know it" }, group.id)),
  );
}

/** The words under a name of the user's own; hidden while the words are the name. */
function wordsLine(group) {
  const line = el("p", { class: "words" }, group.words);
  const refresh = () => { line.hidden = !names.isGiven(group); };
  line.classList.add("name-follower");
  line.addEventListener("renamed", refresh);
  refresh();
  return line;
}

function swatch(tints) {
  const dot = el("i", { class: "swatch", "aria-hidden": "true" });
  dot.style.background = tints.solid;
  return dot;
}

/** Under reduced motion, and while everything is paused, a figure plays only while one points at it. */
function hoverPlays(element, figure) {
  const set = (hovered) => { figure.hovered = hovered; loop.touch(figure); };
  for (const type of ["pointerenter", "focusin"]) element.addEventListener(type, () => set(true));
  for (const type of ["pointerleave", "focusout"]) element.addEventListener(type, () => set(false));
}

/** The bar under the summary: the share of time of each motif. */
function showRibbon(view, colours) {
  const total = index.clips.reduce((sum, clip) => sum + clip.seconds, 0);
  const covered = view.groups.reduce((sum, group) => sum + group.seconds, 0);
  const pieces = [...view.groups].sort((a, b) => b.seconds - a.seconds).filter((g) => g.seconds > 0).map((group) => {
    const what = `${names.of(group)}: ${sayShare(group.seconds, total)} of the time`;
    const piece = el("a", { href: `#motif/${encodeURIComponent(group.id)}`, title: what, "aria-label": what });
    piece.style.flexGrow = group.seconds;
    piece.style.background = colours.groups[group.number].solid;
    return piece;
  });
  const rest = el("span", { class: "rest", title: `no motif: ${sayShare(Math.max(total - covered, 0), total)} of the time` });
  rest.style.flexGrow = Math.max(total - covered, 0);
  byId("ribbon").replaceChildren(...pieces, rest);
  byId("coverage").textContent =
    `${view.groups.length} motif${view.groups.length === 1 ? "" : "s"} shown, in ${sayShare(covered, total)} of ${sayDuration(total)}`;
}
