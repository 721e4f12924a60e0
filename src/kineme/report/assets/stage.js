// The large figure of the clip view: plays a clip, can be turned, follows the body, draws its trails.

class Stage {
  /** Calls `changed(time)` whenever the time is another. */
  constructor(canvas, changed) {
    Object.assign(this, { canvas, changed, time: 0, speed: 1, playing: false, trail: true, follow: true, turned: 0.55, zoom: 1, ratio: 1, urgent: true });
    this.camera = new Camera();
    this.points = new Float32Array(0);
    orbit(canvas, this, () => loop.touch(this));
    loop.add(this);
  }

  /** Shows `clip` from `time` on; colourAt(time) gives { tints, parts } of what happens then. */
  async show(clip, time, colourAt) {
    this.colourAt = colourAt;
    if (this.clip === clip && this.motion) { this.seek(time); return; }
    this.clip = clip;
    this.motion = null;
    const motion = await motionOf(clip);
    if (this.clip !== clip) return; // another clip was chosen meanwhile
    this.motion = motion;
    this.points = new Float32Array(motion.body.joints * 3);
    this.facing = facingAt(motion, time);
    this.seconds = index.clips[clip].seconds;
    this.centre = null;
    this.seek(time);
  }

  seek(time) {
    this.time = Math.min(Math.max(0, time), this.seconds || 0);
    this.changed(this.time);
    loop.touch(this);
  }

  play(playing) {
    if (playing && this.time >= this.seconds - 0.02) this.time = 0;
    this.playing = playing;
    this.changed(this.time);
    loop.touch(this);
  }

  step(frames) { this.play(false); this.seek((Math.round(this.time * this.motion.fps) + frames) / this.motion.fps); }

  draw(_now, seconds) {
    if (!this.motion) return false;
    if (this.playing) {
      this.time += seconds * this.speed;
      if (this.time >= this.seconds) { this.time = this.seconds; this.playing = false; }
      this.changed(this.time);
    }
    this.paint();
    return this.playing || this.settling;
  }

  paint() {
    const { canvas, camera, motion, ratio, time } = this, context = canvas.getContext("2d"), body = motion.body;
    const width = canvas.width / ratio, height = canvas.height / ratio;
    poseAt(motion, time, this.points);
    this.aim(body);
    camera.aim(width, height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const { tints, parts, none } = this.colourAt(time);
    drawFloor(context, camera, none.dots, 0.5, body.height * 2.1);
    drawShadow(context, camera, body, this.points, none.shadow);
    if (this.trail) {
      drawTrail(context, camera, motion, 0, Math.max(0, time - 4), time, none.solid, true);
      for (const part of parts.length ? parts.slice(0, 2) : ["left arm", "right arm"]) {
        const tip = body.tips.get(part);
        if (tip !== undefined) drawTrail(context, camera, motion, tip, Math.max(0, time - 1.2), time, tints.solid);
      }
    }
    const moving = new Set(parts);
    drawBody(context, camera, body, this.points, (part) => (moving.has(part) ? tints.near : tints.calm), none.stage);
  }

  /** Keeps the body in the picture: the camera's target glides after it. */
  aim(body) {
    const { camera } = this, [x, , z] = this.points;
    camera.span = (body.height * 1.55) / this.zoom;
    camera.yaw = this.facing + this.turned;
    if (!this.centre) this.centre = [x, z];
    const gap = Math.hypot(x - this.centre[0], z - this.centre[1]);
    const share = !this.follow ? 0 : gap > body.height * 1.5 ? 1 : 0.12;
    this.centre[0] += (x - this.centre[0]) * share;
    this.centre[1] += (z - this.centre[1]) * share;
    this.settling = this.follow && gap > 0.02;
    camera.target = [this.centre[0], body.height * 0.5, this.centre[1]];
  }

  resetCamera() {
    this.turned = 0.55; this.zoom = 1; this.camera.pitch = 0.2; this.centre = null;
    if (this.motion) this.facing = facingAt(this.motion, this.time);
    loop.touch(this);
  }
}
