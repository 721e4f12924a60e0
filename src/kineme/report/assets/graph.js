// What follows what: motifs on a circle in the order of their likeness, arrows by how often one leads to another.

const SIZE = 720, MOST_NODES = 28;
let ring = [236, 236]; // half the width and half the height of the circle of nodes

function showGraph(view, colours) {
  ring = narrow.matches ? [205, 330] : [236, 236];
  byId("graph").setAttribute("viewBox", narrow.matches ? "-60 -20 840 760" : "-150 90 1020 540");
  const shown = view.groups.slice(0, MOST_NODES);
  const place = new Map(view.order.map((motif, k) => [motif, k]));
  const inOrder = [...shown].sort((a, b) => place.get(a.head) - place.get(b.head));
  const nodes = new Map(inOrder.map((group, k) => [group.number, nodeOf(group, k, inOrder.length)]));
  const edges = strongestEdges(view, nodes);
  const most = Math.max(1, ...edges.map((e) => e.count));
  const lines = edges.map((edge) => drawEdge(edge, nodes, colours, most));
  const marks = [...nodes.values()].map((node) => drawNode(node, shown, colours));
  byId("graph").replaceChildren(svg("title", {}, "Which motif leads to which"), ...lines, ...marks);
  let tapped = -1;
  const focus = (number) => focusOn(view, number, edges, lines, nodes, marks);
  marks.forEach((mark, k) => {
    const number = [...nodes.keys()][k];
    for (const type of ["pointerenter", "focusin"]) mark.addEventListener(type, () => focus(number));
    for (const type of ["pointerleave", "focusout"]) mark.addEventListener(type, (event) => { if (event.pointerType !== "touch") focus(-1); });
    mark.addEventListener("click", (event) => { // the first tap shows, the second follows
      if (event.pointerType === "touch" && tapped !== number) { event.preventDefault(); tapped = number; focus(number); }
    });
  });
  focus(-1);
  showTransitionTable(view, colours);
  byId("graph-note").textContent = view.groups.length > shown.length ? `The ${shown.length} most frequent of ${view.groups.length} motifs are drawn; the table has them all.` : "";
}

function nodeOf(group, k, count) {
  const angle = (2 * Math.PI * k) / count - Math.PI / 2;
  return { group, angle, x: SIZE / 2 + ring[0] * Math.cos(angle), y: SIZE / 2 + ring[1] * Math.sin(angle) };
}

/** Between drawn motifs, each one's four most frequent ways on. */
function strongestEdges(view, nodes) {
  const edges = [];
  for (const from of nodes.keys()) {
    const on = [...view.transitions.next[from]].filter(([to]) => nodes.has(to) && to !== from);
    const total = [...view.transitions.next[from].values()].reduce((a, b) => a + b, 0);
    on.sort((a, b) => b[1] - a[1]).slice(0, 4).forEach(([to, count]) => edges.push({ from, to, count, share: count / total }));
  }
  return edges.sort((a, b) => a.count - b.count);
}

function drawEdge(edge, nodes, colours, most) {
  const a = nodes.get(edge.from), b = nodes.get(edge.to);
  const bend = 1 - 0.62 * Math.min(1, Math.hypot(a.x - b.x, a.y - b.y) / (1.3 * ring[0])); // near ones bend less
  const middle = [SIZE / 2 + ((a.x + b.x) / 2 - SIZE / 2) * bend, SIZE / 2 + ((a.y + b.y) / 2 - SIZE / 2) * bend];
  // a way there and a way back bend to different sides
  const side = [(b.y - a.y) * 0.07, -(b.x - a.x) * 0.07], cx = middle[0] + side[0], cy = middle[1] + side[1];
  const end = Math.hypot(b.x - cx, b.y - cy) || 1, gap = radiusOf(b.group, nodes) + 5;
  const ex = b.x - ((b.x - cx) / end) * gap, ey = b.y - ((b.y - cy) / end) * gap;
  const width = 1 + 5 * Math.sqrt(edge.count / most), head = 4 + width * 1.1, turn = Math.atan2(ey - cy, ex - cx);
  const point = (forward, aside) => `${ex + forward * Math.cos(turn) - aside * Math.sin(turn)} ${ey + forward * Math.sin(turn) + aside * Math.cos(turn)}`;
  const colour = colours.groups[edge.from].solid;
  return svg("g", { class: "edge", fill: colour, stroke: colour },
    svg("path", { d: `M${a.x} ${a.y}Q${cx} ${cy} ${point(-head * 0.7, 0)}`, "stroke-width": width, fill: "none" }),
    svg("path", { d: `M${point(1, 0)}L${point(-head, head * 0.62)}L${point(-head, -head * 0.62)}Z`, stroke: "none" }));
}

function radiusOf(group, nodes) {
  const most = Math.max(...[...nodes.values()].map((node) => node.group.count), 1);
  return 6 + 17 * Math.sqrt(group.count / most);
}

function drawNode(node, shown, colours) {
  const { group, angle } = node, nodes = new Map(shown.map((g) => [g.number, { group: g }]));
  const r = radiusOf(group, nodes), name = names.of(group);
  const across = Math.cos(angle), below = Math.sin(angle) > 0, upright = Math.abs(across) < 0.28;
  const x = upright ? node.x : node.x + Math.sign(across) * (r + 10);
  const y = upright ? node.y + (below ? r + 22 : -r - 12) : node.y + 5 + 8 * Math.sin(angle);
  const label = svg("text", { x, y, "text-anchor": upright ? "middle" : across > 0 ? "start" : "end" }, shorten(name, narrow.matches ? 17 : 32));
  return svg("a", { href: `#motif/${encodeURIComponent(group.id)}`, class: "node", "aria-label": `${name}, ${times(group.count)}` },
    svg("circle", { cx: node.x, cy: node.y, r, fill: colours.groups[group.number].solid }), label);
}

function shorten(text, most) { return text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text; }

function focusOn(view, number, edges, lines, nodes, marks) {
  byId("graph").classList.toggle("focused", number >= 0);
  const near = new Set([number]);
  edges.forEach((edge, k) => {
    const on = edge.from === number || edge.to === number;
    lines[k].classList.toggle("on", on);
    if (on) near.add(edge.from).add(edge.to);
  });
  [...nodes.keys()].forEach((n, k) => marks[k].classList.toggle("on", near.has(n)));
  byId("graph-words").textContent = number < 0 ? `${matchMedia("(hover: none)").matches ? "Tap" : "Point at"} a motif to see what it leads to.` : wordsFor(view, number);
}

function wordsFor(view, number) {
  const next = [...view.transitions.next[number]].sort((a, b) => b[1] - a[1]), total = next.reduce((sum, [, count]) => sum + count, 0);
  const name = names.of(view.groups[number]);
  if (!total) return `Nothing comes after “${name}”.`;
  return `After “${name}”: ${next.slice(0, 4).map(([to, count]) => `${names.of(view.groups[to])} (${sayShare(count, total)})`).join(", ")}.`;
}

function showTransitionTable(view, colours) {
  const rows = view.groups.flatMap((group) => [...view.transitions.next[group.number]].map(([to, count]) => ({ group, to, count })));
  rows.sort((a, b) => b.count - a.count);
  const totals = view.transitions.next.map((next) => [...next.values()].reduce((a, b) => a + b, 0));
  lazyList(byId("transition-rows"), rows, ({ group, to, count }) => el("tr", {},
    el("td", {}, motifLink(view, colours, group)), el("td", {}, motifLink(view, colours, view.groups[to])),
    el("td", { class: "number" }, count.toLocaleString("en")), el("td", { class: "number" }, sayShare(count, totals[group.number]))), 50);
}
