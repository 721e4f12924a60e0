// The clips: a list to search, and for the one chosen its figure, its timeline and a table of its segments.

const clips = {
  chosen: -1, table: [], shownGroup: undefined,

  start() {
    this.stage = new Stage(byId("stage"), (time) => this.timeChanged(time));
    this.timeline = new Timeline(byId("timeline"), byId("timeline-tip"), (time) => this.stage.seek(time));
    byId("clip-search").addEventListener("input", () => this.showList());
    this.buildTransport();
    document.addEventListener("keydown", (event) => this.key(event));
  },

  buildTransport() {
    const { stage } = this;
    this.playButton = iconButton("play", "Play (space)", () => stage.play(!stage.playing), { id: "play" });
    this.clock = el("output", { class: "clock", id: "clock" });
    const speed = el("select", { "aria-label": "Speed", onchange: () => { stage.speed = Number(speed.value); } },
      [["0.25", "¼×"], ["0.5", "½×"], ["1", "1×"], ["2", "2×"]].map(([value, text]) => el("option", { value, selected: value === "1" }, text)));
    const toggle = (name, label) => el("label", { class: "toggle" },
      el("input", { type: "checkbox", checked: stage[name], onchange: (event) => { stage[name] = event.target.checked; loop.touch(stage); } }), label);
    byId("transport").replaceChildren(
      iconButton("back", "Motif before (shift + left arrow)", () => this.jump(-1)),
      iconButton("stepback", "Frame back (left arrow)", () => stage.step(-1)),
      this.playButton,
      iconButton("stepforward", "Frame on (right arrow)", () => stage.step(1)),
      iconButton("forward", "Next motif (shift + right arrow)", () => this.jump(1)),
      this.clock, speed,
      el("span", { class: "spring" }), toggle("trail", "Trail"), toggle("follow", "Follow"),
    );
    byId("stage-tools").replaceChildren(
      iconButton("plus", "Closer", () => { zoomBy(stage, 1.25); loop.touch(stage); }),
      iconButton("minus", "Further away", () => { zoomBy(stage, 0.8); loop.touch(stage); }),
      iconButton("home", "Camera as it was", () => stage.resetCamera()),
    );
    byId("timeline-tools").replaceChildren(
      iconButton("plus", "Stretch the timeline", () => this.timeline.zoomBy(1.6, this.playhead())),
      iconButton("minus", "Shrink the timeline", () => this.timeline.zoomBy(1 / 1.6, this.playhead())),
    );
  },

  playhead() { return Math.min(Math.max((this.stage.time - this.timeline.left) / this.timeline.shown, 0), 1); },

  showList() {
    const wanted = byId("clip-search").value.trim().toLowerCase();
    const found = index.clips.map((_, k) => k).filter((k) => {
      const { name, source, labels = [] } = index.clips[k];
      return !wanted || name.toLowerCase().includes(wanted) || source.toLowerCase().includes(wanted) || labels.some((l) => l[2].toLowerCase().includes(wanted));
    });
    byId("clip-count").textContent = found.length === index.clips.length ? `${found.length}` : `${found.length} of ${index.clips.length}`;
    lazyList(byId("clip-list"), found, (clip) => this.row(clip), 100);
  },

  row(clip) {
    const entry = index.clips[clip];
    const row = el("a", { class: "clip-row", href: clipLink(clip, 0), title: entry.source, "data-clip": clip, "aria-current": clip === this.chosen ? "true" : null },
      el("span", { class: "clip-name" }, entry.name), el("span", { class: "clip-time" }, sayDuration(entry.seconds)), el("span", { class: "clip-strip" }));
    row.lastChild.style.backgroundImage = this.strip(clip);
    return row;
  },

  /** The clip's motifs in small, as a background of coloured bands. */
  strip(clip) {
    const { view, colours } = state, { table } = view, seconds = index.clips[clip].seconds, bands = [];
    for (const s of segmentsIn(table, clip, 1).slice(0, 80)) {
      const [a, b] = [table.start[s], table.end[s]].map((t) => `${((100 * t) / seconds).toFixed(2)}%`);
      bands.push(`transparent ${a}, ${colours.groups[view.groupOf[table.id[s]]].solid} ${a} ${b}, transparent ${b}`);
    }
    return bands.length ? `linear-gradient(90deg, ${bands.join(", ")})` : "none";
  },

  async show(clip, time, autoplay) {
    clip = index.clips[clip] ? clip : 0;
    const { view, colours } = state, entry = index.clips[clip], changed = clip !== this.chosen;
    this.chosen = clip;
    byId("clip-title").textContent = entry.name;
    byId("clip-source").textContent = `${entry.source} · ${sayDuration(entry.seconds)}`;
    document.querySelectorAll(".clip-row[aria-current]").forEach((row) => row.removeAttribute("aria-current"));
    document.querySelector(`.clip-row[data-clip="${clip}"]`)?.setAttribute("aria-current", "true");
    byId("stage").parentElement.style.background = colours.none.stage;
    this.timeline.show(clip, view, colours);
    this.showTable(clip);
    this.shownGroup = undefined;
    if (changed) this.stage.playing = false;
    try {
      await this.stage.show(clip, time, (t) => this.lookAt(t));
      byId("stage-note").textContent = "";
      if (autoplay && !calmly.matches) this.stage.play(true);
    } catch (error) { byId("stage-note").textContent = error.message; }
  },

  groupAt(time) { return this.timeline.motifs.find((m) => m.start <= time && time < m.end)?.group ?? -1; },

  lookAt(time) {
    const { view, colours } = state, group = this.groupAt(time);
    return { tints: group >= 0 ? colours.groups[group] : colours.none, parts: group >= 0 ? view.groups[group].parts : [], none: colours.none };
  },

  timeChanged(time) {
    const { stage } = this;
    this.clock.textContent = `${sayTime(time)} / ${sayTime(index.clips[this.chosen].seconds)}`;
    if (this.shownPlaying !== stage.playing) {
      this.shownPlaying = stage.playing;
      this.playButton.replaceChildren(icon(stage.playing ? "pause" : "play"));
      this.playButton.setAttribute("aria-label", stage.playing ? "Pause (space)" : "Play (space)");
    }
    this.timeline.setTime(time);
    const group = this.groupAt(time);
    if (group === this.shownGroup) return;
    this.shownGroup = group;
    byId("now").replaceChildren(...(group < 0 ? [el("span", { class: "none" }, "no motif here")] : [motifLink(state.view, state.colours, state.view.groups[group])]));
  },

  /** To the start of the next motif, or the one before. */
  jump(by) {
    const starts = this.timeline.motifs.map((m) => m.start), now = this.stage.time;
    const to = by > 0 ? starts.find((s) => s > now + 0.02) : starts.filter((s) => s < now - 0.3).pop();
    if (to !== undefined) this.stage.seek(to + 0.001);
  },

  key(event) {
    if (state.route !== "clip" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    const { stage } = this;
    const act = {
      " ": () => stage.play(!stage.playing), ArrowLeft: () => (event.shiftKey ? this.jump(-1) : stage.step(-1)),
      ArrowRight: () => (event.shiftKey ? this.jump(1) : stage.step(1)), Home: () => stage.seek(0), End: () => stage.seek(1e9),
    }[event.key];
    if (!act || !stage.motion || (event.key === " " && event.target.closest("button, a, summary"))) return;
    event.preventDefault();
    act();
  },

  showTable(clip) {
    const { view, colours } = state, { table } = view;
    const segments = [...segmentsIn(table, clip, 1), ...segmentsIn(table, clip, 0)];
    lazyList(byId("segment-rows"), segments, (s) => {
      const group = table.isMotif[s] ? view.groups[view.groupOf[table.id[s]]] : null;
      const what = group ? motifLink(view, colours, group) : `atom ${view.scale.ids[table.id[s]]}`;
      const jump = el("button", { type: "button", class: "link", onclick: () => this.stage.seek(table.start[s] + 0.001) }, sayTime(table.start[s]));
      return el("tr", {}, el("td", {}, jump), el("td", {}, sayTime(table.end[s])), el("td", {}, table.isMotif[s] ? "motif" : "atom"), el("td", {}, what), el("td", { class: "number" }, table.confidence[s].toFixed(2)));
    }, 40);
  },

  downloadCsv() {
    const { table } = state.view, all = [];
    for (let s = table.from[this.chosen]; s < table.from[this.chosen + 1]; s++) all.push(s);
    downloadSegments(state.view, all, `${index.clips[this.chosen].name}.csv`);
  },
};
