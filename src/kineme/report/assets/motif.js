// One motif: a large figure, what is known of it, what is like it, and every occurrence.

let motifFigures = [];

function showMotif(view, colours, id, toSimilar) {
  motifFigures.forEach((figure) => loop.remove(figure));
  motifFigures = [];
  const group = view.byId.get(id);
  if (!group) return byId("motif").replaceChildren(el("p", { class: "note" }, "There is no such motif at this time scale."));
  const tints = colours.groups[group.number];
  byId("motif").replaceChildren(
    el("p", { class: "crumbs" }, el("a", { href: "#motifs" }, "All motifs")),
    el("div", { class: "motif-top" }, motifStage(group, tints), motifFacts(view, colours, group, tints)),
    similarSection(view, colours, group),
    alikeSection(group, tints),
    occurrenceSection(view, group, tints),
  );
  if (toSimilar) (byId("similar") ?? byId("alike"))?.scrollIntoView({ block: "start" });
}

function motifStage(group, tints) {
  const canvas = el("canvas", { role: "img", "aria-label": `${group.words}; drag to turn` });
  const caption = el("a", { class: "stage-caption" });
  const stage = el("div", { class: "figure large" }, canvas, caption);
  stage.style.background = tints.stage;
  if (!group.examples.length) return stage;
  const figure = new LoopFigure(canvas, group.examples, { tints, parts: group.parts }, {
    still: group.still,
    orbit: true,
    onExample: (which) => {
      const [clip, start, end] = group.examples[which];
      caption.textContent = `${index.clips[clip].name}, ${sayTime(start)} to ${sayTime(end)}`;
      caption.href = clipLink(clip, start);
    },
  });
  figure.urgent = true;
  hoverPlays(stage, figure);
  motifFigures.push(figure);
  const step = (by) => figure.turnTo(figure.which + by + group.examples.length);
  stage.append(el("div", { class: "stage-tools" },
    iconButton("stepback", "Previous example", () => step(-1)),
    iconButton("stepforward", "Next example", () => step(1)),
  ));
  return stage;
}

function clipLink(clip, time) { return `#clip/${clip}/${time.toFixed(2)}`; }

function motifFacts(view, colours, group, tints) {
  const total = index.clips.reduce((sum, clip) => sum + clip.seconds, 0);
  const facts = [
    ["Seen", `${times(group.count)} in ${group.clips.size} clip${group.clips.size === 1 ? "" : "s"}`],
    ["Lasts", `${sayDuration(group.mean)} on average`],
    ["Takes up", `${sayShare(group.seconds, total)} of all time`],
    ["Moves most", group.parts.length ? group.parts.join(", ") : "nothing much"],
    ["Id", group.members.map((m) => view.scale.motifs[m].id).join(", ")],
  ];
  const list = el("dl", { class: "facts-list" }, facts.map(([k, v]) => [el("dt", {}, k), el("dd", {}, v)]));
  return el("div", { class: "motif-side" },
    el("div", { class: "card-head big" }, swatch(tints), nameField(group, "h2")),
    wordsLine(group),
    list,
    neighbours(view, colours, "Comes after", view.transitions.before[group.number], group),
    neighbours(view, colours, "Leads to", view.transitions.next[group.number], group),
  );
}

/** The motifs that most often stand before or after, as small labels. */
function neighbours(view, colours, title, counts, group) {
  const most = [...counts].filter(([other]) => other !== group.number).sort((a, b) => b[1] - a[1]).slice(0, 4);
  if (!most.length) return null;
  const total = [...counts.values()].reduce((a, b) => a + b, 0);
  return el("div", { class: "neighbours" }, el("h3", {}, title), el("ul", {}, most.map(([other, count]) =>
    el("li", {}, motifLink(view, colours, view.groups[other]), el("span", { class: "count" }, sayShare(count, total))))));
}

function motifLink(view, colours, group) {
  return el("a", { class: "motif-link", href: `#motif/${encodeURIComponent(group.id)}` }, swatch(colours.groups[group.number]), names.of(group));
}

function similarSection(view, colours, group) {
  if (!group.similar.length) return null;
  return el("section", { id: "similar" }, el("h3", { class: "section-title" }, "More like this"),
    el("div", { class: "cards few" }, group.similar.map((other) => motifCard(view, colours, other, motifFigures))));
}

/** The stretches of all takes that are nearest to the first example, whatever motif they belong to. */
function alikeSection(group, tints) {
  if (!group.alike.length) return null;
  const grid = el("div", { class: "tiles" });
  lazyList(grid, group.alike, ([clip, start, end, mirrored, distance]) => {
    const tile = momentTile(clip, start, end, `${(100 * distance).toFixed(1)} cm a joint away${mirrored ? ", mirrored" : ""}`, group, tints, mirrored ? group.parts.map(otherSide) : group.parts);
    if (mirrored) tile.append(el("span", { class: "tile-time" }, "mirrored"));
    return tile;
  });
  return el("section", { id: "alike" }, el("h3", { class: "section-title" }, "Nearest to the first example", el("span", { class: "count" }, "in any take, faster, slower or mirrored")),
    grid, el("p", {}, el("button", { type: "button", class: "quiet", onclick: () => downloadAlike(group) }, icon("download"), "CSV of these")));
}

function otherSide(part) { return part.replace(/left|right/, (side) => (side === "left" ? "right" : "left")); }

function occurrenceSection(view, group, tints) {
  const { table } = view, grid = el("div", { class: "tiles" });
  lazyList(grid, group.segments, (s) => occurrenceTile(table, s, group, tints));
  return el("section", {}, el("h3", { class: "section-title" }, "Every occurrence", el("span", { class: "count" }, group.segments.length.toLocaleString("en"))),
    grid, el("p", {}, el("button", { type: "button", class: "quiet", onclick: () => downloadSegments(view, group.segments, `${group.id}.csv`) }, icon("download"), "CSV of these")));
}

function occurrenceTile(table, s, group, tints) {
  return momentTile(table.clipOf[s], table.start[s], table.end[s], `confidence ${table.confidence[s].toFixed(2)}`, group, tints);
}

/** A small figure that loops through a stretch of a clip, and leads to it. */
function momentTile(clip, start, end, remark, group, tints, parts = group.parts) {
  const canvas = el("canvas", { "aria-hidden": "true" });
  const picture = el("span", { class: "figure" }, canvas);
  picture.style.background = tints.stage;
  const tile = el("a", { class: "tile", href: clipLink(clip, start), title: `${index.clips[clip].name}, ${remark}` },
    picture, el("span", { class: "tile-name" }, index.clips[clip].name), el("span", { class: "tile-time" }, `${sayTime(start)} · ${sayDuration(end - start)}`));
  const figure = new LoopFigure(canvas, [[clip, start, end]], { tints, parts });
  hoverPlays(tile, figure);
  motifFigures.push(figure);
  return tile;
}
