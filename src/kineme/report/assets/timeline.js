// The timeline of a clip: labels, motifs and atoms on one canvas, a playhead, zoom, and an overview when zoomed.

const TRACK = { ticks: 22, label: 18, motif: 38, atom: 14, gap: 6, overview: 12 };

class Timeline {
  /** Calls `seek(seconds)` when the user points at a time. */
  constructor(canvas, tip, seek) {
    Object.assign(this, { canvas, tip, seek, zoom: 1, left: 0, time: 0, ratio: 1, rows: [], urgent: true });
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => (event.buttons ? this.drag(event) : this.hover(event)));
    canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    canvas.addEventListener("wheel", (event) => {
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        this.zoomBy(Math.exp(-event.deltaY * 0.004), event.offsetX / this.width);
      } else if (this.zoom > 1 && Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        this.pan((event.deltaX / this.width) * this.shown);
      }
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
    loop.add(this);
  }

  show(clip, view, colours) {
    const entry = index.clips[clip], { table } = view;
    if (this.clip !== clip) { this.zoom = 1; this.left = 0; }
    Object.assign(this, { clip, view, colours, seconds: entry.seconds });
    const motifs = segmentsIn(table, clip, 1).map((s) => this.segment(s, view.groupOf[table.id[s]]));
    const atoms = segmentsIn(table, clip, 0).map((s) => ({ ...this.segment(s, view.atomGroup[table.id[s]]), text: `atom ${view.scale.ids[table.id[s]]}` }));
    this.motifs = motifs;
    this.rows = [
      ...labelLanes(entry.labels || []).map((items) => ({ kind: "label", height: TRACK.label, items })),
      { kind: "motif", height: TRACK.motif, items: motifs }, { kind: "atom", height: TRACK.atom, items: atoms },
    ];
    let y = TRACK.ticks;
    for (const row of this.rows) { row.y = y; y += row.height + TRACK.gap; }
    this.overviewY = y + 2;
    this.canvas.style.height = `${y + TRACK.overview + 4}px`;
    this.canvas.setAttribute("aria-valuemax", this.seconds.toFixed(1));
    loop.touch(this);
  }

  segment(s, group) {
    const { table } = this.view;
    return { s, group, start: table.start[s], end: table.end[s], confidence: table.confidence[s], text: group >= 0 ? names.of(this.view.groups[group]) : "no motif" };
  }

  get width() { return this.canvas.width / this.ratio; }
  get shown() { return this.seconds / this.zoom; }
  x(time) { return ((time - this.left) / this.shown) * this.width; }
  at(x) { return this.left + (x / this.width) * this.shown; }
  tints(group) { return group >= 0 ? this.colours.groups[group] : this.colours.none; }

  setTime(time) {
    this.time = time;
    if (this.zoom > 1 && !this.held && (time < this.left || time > this.left + this.shown * 0.96)) this.moveTo(time - this.shown * 0.08);
    this.canvas.setAttribute("aria-valuenow", time.toFixed(2));
    this.canvas.setAttribute("aria-valuetext", sayTime(time));
    loop.touch(this);
  }

  moveTo(left) { this.left = Math.min(Math.max(0, left), this.seconds - this.shown); loop.touch(this); }
  pan(by) { this.moveTo(this.left + by); }
  zoomBy(factor, where = 0.5) {
    const fixed = this.left + where * this.shown;
    this.zoom = Math.min(Math.max(1, this.zoom * factor), Math.max(1, this.seconds / 1.5));
    this.moveTo(fixed - where * this.shown);
  }

  press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.inOverview = this.zoom > 1 && event.offsetY >= this.overviewY - 4;
    this.drag(event);
  }

  drag(event) {
    this.tip.hidden = true;
    if (this.inOverview) return this.moveTo((event.offsetX / this.width) * this.seconds - this.shown / 2);
    this.held = true;
    this.seek(Math.min(Math.max(0, this.at(event.offsetX)), this.seconds));
    this.held = false;
  }

  key(event) {
    const step = { ArrowRight: 0.1, ArrowLeft: -0.1, PageDown: 1, PageUp: -1, Home: -1e9, End: 1e9 }[event.key];
    if (step === undefined || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.seek(Math.min(Math.max(0, this.time + step), this.seconds));
  }

  itemAt(x, y) {
    const time = this.at(x), row = this.rows.find((r) => y >= r.y && y <= r.y + r.height);
    return row && row.items.find((item) => item.start <= time && time < item.end);
  }

  hover(event) {
    const item = this.itemAt(event.offsetX, event.offsetY);
    this.tip.hidden = !item;
    if (!item) return;
    const sure = item.confidence === undefined ? "" : ` · confidence ${item.confidence.toFixed(2)}`;
    this.tip.textContent = `${item.text}, ${sayTime(item.start)} to ${sayTime(item.end)}${sure}`;
    const x = Math.min(event.offsetX + 12, this.width - this.tip.offsetWidth - 4);
    this.tip.style.transform = `translate(${Math.max(0, x)}px, ${event.offsetY + 16}px)`;
  }

  draw() {
    if (!this.view) return false;
    const context = this.canvas.getContext("2d"), style = theme();
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.canvas.height / this.ratio);
    this.drawTicks(context, style);
    for (const row of this.rows) for (const item of row.items) this.drawItem(context, style, row, item);
    this.drawOverview(context, style);
    const x = Math.round(this.x(this.time)) + 0.5;
    context.fillStyle = style.ink;
    context.fillRect(x - 1, TRACK.ticks - 4, 2, this.overviewY - TRACK.ticks);
    context.beginPath(); context.arc(x, TRACK.ticks - 5, 4.5, 0, 2 * Math.PI); context.fill();
    return false;
  }

  drawTicks(context, style) {
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600].find((s) => (s / this.shown) * this.width > 58) || 1800;
    context.font = `11px ${style.font}`;
    context.textBaseline = "middle";
    for (let k = Math.ceil(this.left / step); k * step <= this.left + this.shown; k++) {
      const x = Math.round(this.x(k * step));
      context.fillStyle = style.line;
      context.fillRect(x, TRACK.ticks - 6, 1, this.overviewY - TRACK.ticks);
      context.fillStyle = style.faint;
      const text = step < 1 ? sayTime(k * step) : sayTime(k * step).replace(/\.0$/, "");
      if (x + 30 < this.width) context.fillText(text, x + 4, 8);
    }
  }

  drawItem(context, style, row, item) {
    const x = this.x(item.start), width = this.x(item.end) - x;
    if (x > this.width || x + width < 0) return;
    const w = Math.max(width - (width > 4 ? 1.5 : 0.5), 0.8), tints = row.kind === "label" ? null : this.tints(item.group);
    context.globalAlpha = item.confidence === undefined ? 1 : 0.4 + 0.6 * item.confidence;
    context.fillStyle = tints ? tints.solid : style.label;
    context.beginPath();
    context.roundRect(x, row.y, w, row.height, Math.min(4, w / 2));
    context.fill();
    context.globalAlpha = 1;
    if (row.kind === "atom" || w < 26) return;
    context.font = `${row.kind === "motif" ? "500 12px" : "11px"} ${style.font}`;
    context.fillStyle = tints ? (item.confidence < 0.7 ? style.ink : tints.ink) : style.soft;
    const from = Math.max(x, 0) + 7;
    fitText(context, item.text, from, row.y + row.height / 2, x + w - from - 4);
  }

  drawOverview(context, style) {
    if (this.zoom <= 1) return;
    const scale = this.width / this.seconds;
    for (const item of this.motifs) {
      context.fillStyle = this.tints(item.group).solid;
      context.globalAlpha = 0.55;
      context.fillRect(item.start * scale, this.overviewY + 3, Math.max((item.end - item.start) * scale, 0.6), 6);
    }
    context.globalAlpha = 1;
    context.strokeStyle = style.ink;
    context.lineWidth = 1.5;
    context.beginPath();
    context.roundRect(this.left * scale + 1, this.overviewY, Math.max(this.shown * scale - 2, 6), TRACK.overview, 3);
    context.stroke();
  }
}

/** Labels may overlap: each goes to the first lane that is free, at most four. */
function labelLanes(labels) {
  const lanes = [];
  for (const [start, end, text] of [...labels].sort((a, b) => a[0] - b[0])) {
    let lane = lanes.find((items) => items[items.length - 1].end <= start + 1e-6);
    if (!lane && lanes.length < 4) lanes.push((lane = []));
    if (lane) lane.push({ start, end, text });
  }
  return lanes;
}

function fitText(context, text, x, y, room) {
  if (room < 14) return;
  let shown = text;
  if (context.measureText(shown).width > room) {
    while (shown.length > 1 && context.measureText(`${shown}…`).width > room) shown = shown.slice(0, -1);
    if (shown.length < 3) return;
    shown += "…";
  }
  context.fillText(shown, x, y);
}
