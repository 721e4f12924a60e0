// One animation loop for every figure on the page. Only what is seen is drawn, and a slow machine draws less often.

const loop = {
  actors: new Map(), // canvas -> actor
  frame: 0, stride: 1, running: false, paused: false,
  gap: 16, shortest: 34, // milliseconds between frames: of late, and at best (which is the screen's rate)

  /**
   * Registers `actor`: { canvas, draw(now, seconds since its last drawing) -> whether it goes on moving }.
   * Whether it is `seen` is not known at first.
   */
  add(actor) {
    actor.seen = null; actor.dirty = true; actor.moves = true; actor.last = 0; actor.phase = this.actors.size;
    this.actors.set(actor.canvas, actor);
    sight.observe(actor.canvas);
    sizes.observe(actor.canvas);
    return actor;
  },

  remove(actor) {
    this.actors.delete(actor.canvas);
    sight.unobserve(actor.canvas);
    sizes.unobserve(actor.canvas);
  },

  /** Asks for a drawing even of an actor at rest. */
  touch(actor) { actor.dirty = true; actor.moves = true; this.wake(); },
  touchAll() { for (const actor of this.actors.values()) this.touch(actor); },
  /** Stops every figure, or lets all go on. */
  pause(paused) { this.paused = paused; this.touchAll(); },
  wake() { if (!this.running) { this.running = true; requestAnimationFrame(tick); } },
};

/** Makes the page's button stop all figures and start them again, by `pause(paused)`. */
function pauseButton(pause = (paused) => loop.pause(paused)) {
  const button = byId("pause-all");
  button.addEventListener("click", () => {
    pause(!loop.paused);
    button.textContent = button.textContent.replace(/^\w+/, loop.paused ? "Play" : "Pause");
  });
}

let lastTick = 0;
function tick(now) {
  loop.frame++;
  let busy = false;
  pace(now);
  const everyFrames = Math.max(1, Math.round((33 * loop.stride) / loop.shortest)); // cards: 30 times a second at best
  for (const actor of loop.actors.values()) {
    if (!actor.seen || !(actor.moves || actor.dirty)) continue;
    busy = true;
    if (!actor.dirty && !actor.urgent && (loop.frame + actor.phase) % everyFrames) continue;
    const seconds = actor.last ? Math.min((now - actor.last) / 1000, 0.25) : 0;
    actor.last = now;
    actor.dirty = false;
    actor.moves = actor.draw(now, seconds);
    if (!actor.moves) actor.last = 0;
  }
  loop.running = busy;
  if (busy) requestAnimationFrame(tick);
  else lastTick = 0;
}

/** Draws cards less often while the screen's frames are missed, and more often again when they are met. */
function pace(now) {
  const gap = lastTick ? now - lastTick : 0;
  lastTick = now;
  if (gap < 3 || gap > 500) return;
  loop.shortest = Math.max(6, Math.min(loop.shortest, gap));
  loop.gap += 0.05 * (gap - loop.gap);
  if (loop.frame % 40) return;
  if (loop.gap > 1.7 * loop.shortest && loop.stride < 3) loop.stride++;
  else if (loop.gap < 1.25 * loop.shortest && loop.stride > 1) loop.stride--;
}

const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const actor = loop.actors.get(target);
    if (!actor) continue;
    actor.seen = isIntersecting;
    actor.last = 0;
    if (isIntersecting) { actor.onseen?.(); loop.touch(actor); }
  }
}, { rootMargin: "120px" });

const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const ratio = Math.min(devicePixelRatio || 1, 2), actor = loop.actors.get(target);
    target.width = Math.max(1, Math.round(contentRect.width * ratio));
    target.height = Math.max(1, Math.round(contentRect.height * ratio));
    if (!actor) continue;
    actor.ratio = ratio;
    // A canvas that got its size is empty, and the browser shows it before the loop's next turn.
    if (actor.seen !== false) actor.draw(performance.now(), 0);
    loop.touch(actor);
  }
});

/** A figure that loops through examples, its root kept in the middle: what a card and a tile show. */
class LoopFigure {
  /** examples: [clip, start, end]; look: { tints, parts, coloursFor(part) }; options: orbit, onExample(k), still (of the first example) */
  constructor(canvas, examples, look, options = {}) {
    Object.assign(this, { canvas, examples, look, options, which: 0, time: 0, rest: 0, ratio: 1, paused: false });
    this.camera = new Camera();
    this.turned = 0.5;
    this.points = new Float32Array(0);
    if (options.orbit) orbit(canvas, this, () => loop.touch(this));
    loop.add(this);
    const still = stillOf(examples[0][0], options.still || index.clips[examples[0][0]].still);
    if (still) this.show(still);
  }

  onseen() { if (!this.loaded && !this.loading) this.load(); }

  async load() {
    this.loading = true;
    const which = this.which;
    try {
      const motion = await motionOf(this.examples[which][0]);
      if (which === this.which) this.show(motion);
      this.loaded = true;
    } catch (error) { this.canvas.title = error.message; }
    this.loading = false;
  }

  show(motion) {
    const [, start] = this.examples[this.which];
    this.motion = motion;
    this.time = start;
    this.rest = 0;
    this.facing = facingAt(motion, start);
    if (this.points.length !== motion.body.joints * 3) this.points = new Float32Array(motion.body.joints * 3);
    this.options.onExample?.(this.which);
    loop.touch(this);
  }

  /** Goes on to example `which`. */
  async turnTo(which) {
    this.which = which % this.examples.length;
    await this.load();
  }

  get plays() { return !this.paused && (this.hovered || !(calmly.matches || loop.paused)); }

  draw(_now, seconds) {
    const { motion } = this;
    if (!motion) return false;
    const [, start, end] = this.examples[this.which];
    const plays = this.plays;
    if (plays) this.advance(seconds, start, end);
    this.paint(start, plays || this.paused || this.time > start ? this.time : (start + end) / 2);
    return plays;
  }

  advance(seconds, start, end) {
    this.time += seconds;
    if (this.time < end) return;
    this.time = end;
    this.rest += seconds;
    if (this.rest < 0.45) return;
    if (this.examples.length > 1) this.turnTo(this.which + 1);
    else { this.time = start; this.rest = 0; }
  }

  paint(start, time) {
    const { canvas, camera, motion, look, ratio } = this, context = canvas.getContext("2d");
    const body = motion.body, width = canvas.width / ratio, height = canvas.height / ratio;
    poseAt(motion, time, this.points);
    camera.span = body.height * 1.42 / (this.zoom || 1);
    camera.yaw = this.facing + this.turned;
    camera.target = [this.points[0], body.height * 0.5, this.points[2]];
    camera.aim(width, height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    drawFloor(context, camera, look.tints.dots, 0.4, body.height * 0.95);
    drawShadow(context, camera, body, this.points, look.tints.shadow);
    for (const part of look.parts.slice(0, 2)) {
      const tip = body.tips.get(part);
      if (tip !== undefined) drawTrail(context, camera, motion, tip, Math.max(start, time - 0.8), time, look.tints.solid);
    }
    const moving = new Set(look.parts), usual = (part) => (moving.has(part) ? look.tints.near : look.tints.calm);
    drawBody(context, camera, body, this.points, look.coloursFor || usual, look.tints.stage);
  }
}

/** Turns `view.turned` and `view.camera.pitch` by dragging, `view.zoom` by pinching or ctrl + wheel. */
function orbit(canvas, view, changed) {
  const fingers = new Map();
  let gap = 0;
  canvas.classList.add("orbits");
  canvas.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    canvas.setPointerCapture(event.pointerId);
    gap = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (fingers.size === 1) {
      view.turned -= (event.clientX - before[0]) * 0.009;
      view.camera.pitch = Math.min(1.45, Math.max(-0.1, view.camera.pitch + (event.clientY - before[1]) * 0.007));
    } else {
      const [p, q] = [...fingers.values()], now = Math.hypot(p[0] - q[0], p[1] - q[1]);
      if (gap) zoomBy(view, now / gap);
      gap = now;
    }
    changed();
  });
  for (const type of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(type, (event) => { fingers.delete(event.pointerId); gap = 0; });
  }
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // a bare wheel scrolls the page
    event.preventDefault();
    zoomBy(view, Math.exp(-event.deltaY * 0.004));
    changed();
  }, { passive: false });
}

function zoomBy(view, factor) { view.zoom = Math.min(5, Math.max(0.3, (view.zoom || 1) * factor)); }
