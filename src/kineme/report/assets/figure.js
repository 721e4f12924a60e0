// The figure: a skeleton as a body of tapered capsules, seen by a small perspective camera.

const bodies = new Map();

/** What it takes to draw skeleton number `k`. */
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
  for (const [a, b, ra, rb] of skeleton.flesh) bones.push({ a, b, ra, rb, part: skeleton.parts[b] });
  if (joints === 1) bones.push({ a: 0, b: 0, ra: skeleton.radii[0], rb: skeleton.radii[0], part: "" });
  const limbs = [...new Set(bones.map((bone) => bone.part))].map((part) => ({ part, bones: bones.filter((bone) => bone.part === part) }));
  const tips = new Map(); // part -> the point that is furthest out: a hand, a foot
  skeleton.parts.forEach((part, joint) => { if (/arm|leg/.test(part)) tips.set(part, joint); });
  const feet = [...tips].filter(([part]) => /leg/.test(part)).map(([, joint]) => [joint, 0.13 * skeleton.height, 0.5]);
  const shadows = [[0, 0.3 * skeleton.height, 2.2], ...feet];
  return { joints, shadows, bones, limbs, across: skeleton.across, height: skeleton.height, tips };
}

/** Fills `out` (joints x 3, metres) with the body at `time`, straight between frames; the floor is at height 0. */
function poseAt(motion, time, out) {
  const { data, joints, frames, fps } = motion;
  const at = Math.min(Math.max(time * fps, 0), frames - 1), low = Math.floor(at), weight = at - low;
  const a = low * joints * 3, b = Math.min(low + 1, frames - 1) * joints * 3;
  for (let k = 0; k < joints * 3; k++) out[k] = (data[a + k] * (1 - weight) + data[b + k] * weight) / 1000;
  for (let k = 1; k < joints * 3; k += 3) out[k] -= motion.floor / 1000;
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
  constructor() { this.yaw = 0.45; this.pitch = 0.2; this.span = 2.4; this.target = [0, 0.9, 0]; }

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

const scratch = { points: new Float32Array(0) };

/** Draws the body, the far limbs first. `coloursFor(part)` gives SHADES colours from near to far; `outline` is the ground's. */
function drawBody(context, camera, body, points, coloursFor, outline) {
  if (scratch.points.length < body.joints * 3) scratch.points = new Float32Array(body.joints * 3);
  const seen = scratch.points;
  for (let k = 0; k < body.joints; k++) camera.project(points[k * 3], points[k * 3 + 1], points[k * 3 + 2], seen, k * 3);
  let least = Infinity, most = 0;
  for (const limb of body.limbs) {
    limb.depth = 0;
    for (const bone of limb.bones) {
      bone.depth = (seen[bone.a * 3 + 2] + seen[bone.b * 3 + 2]) / 2; // the nearer, the larger
      least = Math.min(least, bone.depth);
      most = Math.max(most, bone.depth);
      limb.depth += bone.depth / limb.bones.length;
    }
  }
  const unit = camera.focal / camera.distance, range = Math.max(most - least, unit * 0.08);
  context.strokeStyle = outline;
  context.lineWidth = Math.max(1.4, unit * 0.017);
  for (const limb of [...body.limbs].sort((p, q) => p.depth - q.depth)) {
    const { part, bones } = limb, shades = coloursFor(part);
    const shade = (depth) => shades[Math.round((1 - (depth - least) / range) * (shades.length - 1))];
    context.beginPath();
    for (const bone of bones) capsule(context, seen, bone);
    context.stroke();
    if (part === "torso") { // one piece
      context.fillStyle = shade(limb.depth);
      context.fill();
      continue;
    }
    for (const bone of bones) {
      context.fillStyle = shade(bone.depth);
      context.beginPath();
      capsule(context, seen, bone);
      context.fill();
    }
  }
}

/** Adds the outline of a bone to the path. */
function capsule(context, seen, { a, b, ra, rb }) {
  const ax = seen[a * 3], ay = seen[a * 3 + 1], bx = seen[b * 3], by = seen[b * 3 + 1];
  const r = ra * seen[a * 3 + 2], s = rb * seen[b * 3 + 2];
  const dx = bx - ax, dy = by - ay, length = Math.hypot(dx, dy);
  if (length <= Math.abs(r - s)) { // one end hides the other
    const [x, y, radius] = r > s ? [ax, ay, r] : [bx, by, s];
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
  } else {
    const along = Math.atan2(dy, dx), open = Math.acos((r - s) / length);
    context.moveTo(ax + r * Math.cos(along + open), ay + r * Math.sin(along + open));
    context.arc(ax, ay, r, along + open, along - open + 2 * Math.PI);
    context.arc(bx, by, s, along - open, along + open);
    context.closePath();
  }
}

/** Soft shadows under the trunk and the feet, fainter as these leave the floor. */
function drawShadow(context, camera, body, points, colour) {
  const at = [0, 0, 0];
  for (const [joint, radius, reach] of body.shadows) {
    const height = Math.max(points[joint * 3 + 1], 0);
    camera.project(points[joint * 3], 0, points[joint * 3 + 2], at, 0);
    const size = radius * at[2], flat = size * Math.max(0.12, Math.abs(Math.sin(camera.pitch + 0.06)));
    context.globalAlpha = Math.max(0.12, 1 - height / reach);
    context.drawImage(softDisc(colour), at[0] - size, at[1] - flat, 2 * size, 2 * flat);
  }
  context.globalAlpha = 1;
}

const discs = new Map();

/** A disc of the colour that fades to nothing at its rim: painted once, for a gradient a frame is slow. */
function softDisc(colour) {
  if (!discs.has(colour)) {
    const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 }), context = canvas.getContext("2d");
    const soft = context.createRadialGradient(32, 32, 0, 32, 32, 32);
    soft.addColorStop(0, colour);
    soft.addColorStop(1, colour.replace("rgb(", "rgba(").replace(")", ",0)"));
    context.fillStyle = soft;
    context.fillRect(0, 0, 64, 64);
    discs.set(colour, canvas);
  }
  return discs.get(colour);
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
      const size = Math.max(1.2, 0.018 * at[2]);
      if (size < 2) { context.fillRect(at[0] - size, at[1] - size / 2, 2 * size, size); continue; }
      context.beginPath();
      context.ellipse(at[0], at[1], size, size * Math.max(0.5, Math.abs(camera.sinPitch)), 0, 0, 2 * Math.PI);
      context.fill();
    }
  }
  context.globalAlpha = 1;
}

/** The path of a joint over the last seconds, thin and faint at its old end. `ground` lays it on the floor. */
function drawTrail(context, camera, motion, joint, from, to, colour, ground = false) {
  const pieces = 8, steps = Math.max(1, Math.ceil(((to - from) * 30) / pieces)), at = [0, 0, 0];
  if (to - from < 0.03) return;
  context.strokeStyle = colour;
  context.lineCap = "butt";
  context.lineJoin = "round";
  const unit = camera.focal / camera.distance, point = (share) => {
    const [x, y, z] = jointAt(motion, joint, from + (to - from) * share);
    camera.project(x, ground ? 0 : y, z, at, 0);
    return at;
  };
  for (let piece = 0; piece < pieces; piece++) { // one line a piece: overlaps within it would show
    context.globalAlpha = 0.7 * ((piece + 1) / pieces) ** 1.4;
    context.lineWidth = unit * (0.01 + 0.018 * (piece / pieces));
    context.beginPath();
    for (let k = 0; k <= steps; k++) {
      const [x, y] = point((piece + k / steps) / pieces);
      k ? context.lineTo(x, y) : context.moveTo(x, y);
    }
    context.stroke();
  }
  context.globalAlpha = 1;
}
