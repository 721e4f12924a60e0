// The figure: a skeleton as a body of tapered capsules, seen by a small perspective camera.

const bodies = new Map();

/** What it takes to draw skeleton number `k`: joints, their ends, bones, whose turn decides the facing. */
function bodyOf(k) {
  if (!bodies.has(k)) bodies.set(k, makeBody(index.skeletons[k]));
  return bodies.get(k);
}

function makeBody(skeleton) {
  const joints = skeleton.parents.length, bones = [];
  for (let joint = 1; joint < joints; joint++) {
    const parent = skeleton.parents[joint];
    bones.push({ a: parent, b: joint, ra: Math.min(skeleton.radii[parent], skeleton.radii[joint] * 1.9), rb: skeleton.radii[joint], part: skeleton.parts[joint] });
  }
  const ends = skeleton.ends.map(([joint, length, radius], k) => {
    const round = skeleton.parts[joint] === "head";
    bones.push({ a: joint, b: joints + k, ra: round ? radius : skeleton.radii[joint], rb: radius, part: skeleton.parts[joint] });
    return { joint, parent: Math.max(skeleton.parents[joint], 0), length };
  });
  if (joints === 1) bones.push({ a: 0, b: 0, ra: skeleton.radii[0], rb: skeleton.radii[0], part: "" });
  const tips = new Map(); // part -> the point that is furthest out: a hand, a foot
  skeleton.parts.forEach((part, joint) => { if (/arm|leg/.test(part) && !tips.has(part)) tips.set(part, joint); });
  skeleton.ends.forEach(([joint]) => { const part = skeleton.parts[joint]; if (tips.has(part)) tips.set(part, joint); });
  return { joints, points: joints + ends.length, bones, ends, across: skeleton.across, height: skeleton.height, tips };
}

/** Fills `out` (points x 3, metres) with the body at `time`, straight between frames; the floor is at height 0. */
function poseAt(motion, time, out) {
  const { body, data, joints, frames, fps } = motion;
  const at = Math.min(Math.max(time * fps, 0), frames - 1), low = Math.floor(at), weight = at - low;
  const a = low * joints * 3, b = Math.min(low + 1, frames - 1) * joints * 3;
  for (let k = 0; k < joints * 3; k++) out[k] = (data[a + k] * (1 - weight) + data[b + k] * weight) / 1000;
  for (let k = 1; k < joints * 3; k += 3) out[k] -= motion.floor / 1000;
  body.ends.forEach(({ joint, parent, length }, k) => {
    const j = joint * 3, p = parent * 3, o = (joints + k) * 3;
    const x = out[j] - out[p], y = out[j + 1] - out[p + 1], z = out[j + 2] - out[p + 2];
    const factor = length / (Math.hypot(x, y, z) || 1);
    out[o] = out[j] + x * factor; out[o + 1] = out[j + 1] + y * factor; out[o + 2] = out[j + 2] + z * factor;
  });
  return out;
}

/** One joint's place at `time`, in metres. */
function jointAt(motion, joint, time) {
  const { data, joints, frames, fps } = motion;
  const at = Math.min(Math.max(time * fps, 0), frames - 1), low = Math.floor(at), weight = at - low;
  const a = (low * joints + joint) * 3, b = (Math.min(low + 1, frames - 1) * joints + joint) * 3;
  return [0, 1, 2].map((k) => (data[a + k] * (1 - weight) + data[b + k] * weight - (k === 1 ? motion.floor : 0)) / 1000);
}

/** The way the body faces at `time`, in radians: 0 is +Z, a quarter turn is +X. */
function facingAt(motion, time) {
  if (!motion.body.across) return 0;
  const [left, right] = motion.body.across.map((joint) => jointAt(motion, joint, time));
  return Math.atan2(right[2] - left[2], left[0] - right[0]);
}

/** A camera that looks at `target` from `yaw` and `pitch`; `span` metres fill the height of the picture. */
class Camera {
  constructor() { this.yaw = 0.45; this.pitch = 0.16; this.span = 2.4; this.target = [0, 0.9, 0]; }

  /** Takes the picture's size; must be called before `project`. */
  aim(width, height) {
    this.cx = width / 2; this.cy = height / 2;
    this.distance = 2.6 * this.span;
    this.focal = (Math.min(height, width * 1.35) / this.span) * this.distance;
    this.cosYaw = Math.cos(this.yaw); this.sinYaw = Math.sin(this.yaw);
    this.cosPitch = Math.cos(this.pitch); this.sinPitch = Math.sin(this.pitch);
  }

  /** Writes x, y in pixels and the scale (pixels a metre there) for a world point; false if behind the camera. */
  project(x, y, z, out, at) {
    x -= this.target[0]; y -= this.target[1]; z -= this.target[2];
    const side = x * this.cosYaw - z * this.sinYaw, depth = x * this.sinYaw + z * this.cosYaw;
    const up = y * this.cosPitch - depth * this.sinPitch, near = depth * this.cosPitch + y * this.sinPitch;
    const scale = this.focal / Math.max(this.distance - near, 0.05);
    out[at] = this.cx + side * scale; out[at + 1] = this.cy - up * scale; out[at + 2] = scale;
    return this.distance - near > 0.05;
  }
}

const scratch = { points: new Float32Array(0), order: [] };

/** Draws the body. `coloursFor(part)` gives a row of SHADES colours from near to far; `outline` is the ground's. */
function drawBody(context, camera, body, points, coloursFor, outline) {
  if (scratch.points.length < body.points * 3) scratch.points = new Float32Array(body.points * 3);
  const seen = scratch.points;
  for (let k = 0; k < body.points; k++) camera.project(points[k * 3], points[k * 3 + 1], points[k * 3 + 2], seen, k * 3);
  const order = scratch.order;
  order.length = body.bones.length;
  for (let k = 0; k < order.length; k++) {
    const bone = body.bones[k];
    order[k] = bone;
    bone.depth = seen[bone.a * 3 + 2] + seen[bone.b * 3 + 2]; // the nearer, the larger
  }
  order.sort((p, q) => p.depth - q.depth);
  const least = order[0].depth, range = Math.max(order[order.length - 1].depth - least, camera.focal / camera.distance * 0.12);
  context.strokeStyle = outline;
  context.lineWidth = Math.max(0.9, camera.focal / camera.distance * 0.009);
  for (const bone of order) {
    const shades = coloursFor(bone.part);
    context.fillStyle = shades[Math.round((1 - (bone.depth - least) / range) * (shades.length - 1))];
    capsule(context, seen, bone);
  }
}

function capsule(context, seen, { a, b, ra, rb }) {
  const ax = seen[a * 3], ay = seen[a * 3 + 1], bx = seen[b * 3], by = seen[b * 3 + 1];
  const r = ra * seen[a * 3 + 2], s = rb * seen[b * 3 + 2];
  const dx = bx - ax, dy = by - ay, length = Math.hypot(dx, dy);
  context.beginPath();
  if (length <= Math.abs(r - s)) { // one end hides the other
    if (r > s) context.arc(ax, ay, r, 0, 2 * Math.PI); else context.arc(bx, by, s, 0, 2 * Math.PI);
  } else {
    const along = Math.atan2(dy, dx), open = Math.acos((r - s) / length);
    context.arc(ax, ay, r, along + open, along - open + 2 * Math.PI);
    context.arc(bx, by, s, along - open, along + open);
    context.closePath();
  }
  context.stroke();
  context.fill();
}

/** The body's shadow, as if the light stood straight above. */
function drawShadow(context, camera, body, points, colour) {
  const at = [0, 0, 0];
  context.strokeStyle = colour;
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = 0.13 * camera.focal / camera.distance;
  context.beginPath();
  for (const { a, b } of body.bones) {
    camera.project(points[a * 3], 0, points[a * 3 + 2], at, 0);
    context.moveTo(at[0], at[1]);
    camera.project(points[b * 3], 0, points[b * 3 + 2], at, 0);
    context.lineTo(at[0], at[1]);
  }
  context.stroke();
}

/** Dots on the floor every `step` metres around the camera's target, fading with distance: they show travel. */
function drawFloor(context, camera, colour, step, reach) {
  const [cx, , cz] = camera.target, at = [0, 0, 0];
  context.fillStyle = colour;
  for (let x = Math.ceil((cx - reach) / step) * step; x <= cx + reach; x += step) {
    for (let z = Math.ceil((cz - reach) / step) * step; z <= cz + reach; z += step) {
      const away = Math.hypot(x - cx, z - cz) / reach;
      if (away >= 1 || !camera.project(x, 0, z, at, 0)) continue;
      context.globalAlpha = (1 - away) ** 0.7;
      const size = Math.max(1.1, 0.017 * at[2]);
      context.beginPath();
      context.ellipse(at[0], at[1], size, size * Math.max(0.35, Math.abs(camera.sinPitch) * 1.6), 0, 0, 2 * Math.PI);
      context.fill();
    }
  }
  context.globalAlpha = 1;
}

/** The path of a joint over the last seconds, thin and faint at its old end. `ground` lays it on the floor. */
function drawTrail(context, camera, motion, joint, from, to, colour, ground = false) {
  const steps = Math.ceil((to - from) * 30), at = [0, 0, 0];
  if (steps < 2) return;
  context.strokeStyle = colour;
  context.lineCap = "round";
  const unit = camera.focal / camera.distance;
  let [px, py] = [0, 0];
  for (let k = 0; k <= steps; k++) {
    const [x, y, z] = jointAt(motion, joint, from + ((to - from) * k) / steps);
    camera.project(x, ground ? 0 : y, z, at, 0);
    if (k) {
      context.globalAlpha = 0.75 * (k / steps) ** 1.5;
      context.lineWidth = unit * (0.008 + 0.022 * (k / steps));
      context.beginPath(); context.moveTo(px, py); context.lineTo(at[0], at[1]); context.stroke();
    }
    [px, py] = at;
  }
  context.globalAlpha = 1;
}
