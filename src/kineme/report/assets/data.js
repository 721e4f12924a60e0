// The library's data: the index (parsed at once), segments and motion (decoded when they are first needed).

const index = JSON.parse(document.getElementById("index").textContent);
const CACHE_BYTES = 96e6;

/** Undoes `encode.pack` of the writer: rows of integers from zigzag differences in byte planes, deflated, in base64. */
async function unpack(text, rows, IntArray) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const width = IntArray.BYTES_PER_ELEMENT, total = planes.length / width, columns = total / rows;
  const out = new IntArray(total);
  for (let row = 0; row < rows; row++) {
    let value = 0;
    for (let at = row * columns; at < (row + 1) * columns; at++) {
      let zigzag = 0;
      for (let byte = width - 1; byte >= 0; byte--) zigzag = (zigzag << 8) | planes[byte * total + at];
      value += (zigzag >>> 1) ^ -(zigzag & 1);
      out[at] = value; // wraps around at the type's range, as the writer's differences do
      value = out[at];
    }
  }
  return out;
}

function bytesOf(base64) {
  const raw = atob(base64), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

/** The text of a data block; the blocks stand behind this script, so it may have to wait for them. */
async function blockText(id) {
  if (!document.getElementById(id) && document.readyState === "loading") {
    await new Promise((done) => document.addEventListener("DOMContentLoaded", done, { once: true }));
  }
  const block = document.getElementById(id);
  if (!block) throw new Error(`the page has no block ${id}`);
  return block.textContent;
}

/** A side file's clips, by a script tag: fetching does not work from disk, script tags do. */
const parts = new Map();
function loadPart(name) {
  if (!parts.has(name)) {
    parts.set(name, new Promise((done, fail) => {
      const tag = document.createElement("script");
      tag.src = `${index.dataFolder}/${name}`;
      tag.onload = () => { done(tag.kinemeClips); tag.remove(); };
      tag.onerror = () => { parts.delete(name); fail(new Error(`${index.dataFolder}/${name} is missing; it belongs beside this page`)); };
      document.head.append(tag);
    }));
  }
  return parts.get(name);
}
window.kinemePart = (clips) => { document.currentScript.kinemeClips = clips; };

/** Motion of a clip: { fps, frames, joints, data (frame by frame, mm), body, floor (mm) }. */
const motions = new Map(); // clip -> promise, the most recently used last
let cachedBytes = 0;
function motionOf(clip) {
  const known = motions.get(clip);
  if (known) { motions.delete(clip); motions.set(clip, known); return known; }
  const loading = loadMotion(clip);
  motions.set(clip, loading);
  loading.then((motion) => { cachedBytes += motion.data.byteLength; forgetOldest(clip); }, () => motions.delete(clip));
  return loading;
}

function forgetOldest(keep) {
  for (const [clip, motion] of motions) {
    if (cachedBytes <= CACHE_BYTES || clip === keep) return;
    motions.delete(clip);
    motion.then((m) => { cachedBytes -= m.data.byteLength; });
  }
}

async function loadMotion(clip) {
  const entry = index.clips[clip];
  const text = entry.part ? (await loadPart(entry.part))[clip] : await blockText(`clip-${clip}`);
  const body = bodyOf(entry.skeleton), joints = body.joints, frames = entry.frames;
  const rows = await unpack(text, joints * 3, entry.wide ? Int32Array : Int16Array);
  const data = new rows.constructor(rows.length);
  for (let row = 0; row < joints * 3; row++) {
    for (let frame = 0; frame < frames; frame++) data[frame * joints * 3 + row] = rows[row * frames + frame];
  }
  return { fps: entry.fps, frames, joints, data, body, floor: floorOf(data, frames, joints) };
}

/** A frame of a clip as a motion, where the index has it (`encode.pack_still`): it can be drawn before anything is inflated. */
function stillOf(clip, still) {
  if (!still) return null;
  const { fps, skeleton } = index.clips[clip], body = bodyOf(skeleton);
  const away = new Int8Array(bytesOf(still.joints).buffer);
  const data = Int32Array.from(away, (steps, k) => still.root[k % 3] + steps * still.step);
  return { fps, frames: 1, joints: body.joints, data, body, floor: still.floor };
}

/** Height of the floor in mm: what the lowest joint comes down to, but for the lowest few frames. */
function floorOf(data, frames, joints) {
  const lows = [];
  for (let frame = 0; frame < frames; frame += Math.max(1, Math.floor(frames / 200))) {
    let low = Infinity;
    for (let joint = 0; joint < joints; joint++) low = Math.min(low, data[(frame * joints + joint) * 3 + 1]);
    lows.push(low);
  }
  lows.sort((a, b) => a - b);
  return lows[Math.floor(lows.length * 0.05)] - 25;
}

/** All segments of a scale, as columns; `from[clip]` to `from[clip + 1]` are a clip's. Times in seconds. */
const segmentTables = new Map();
function segmentsOf(scale) {
  if (!segmentTables.has(scale)) segmentTables.set(scale, loadSegments(scale));
  return segmentTables.get(scale);
}

/** A table without segments: what the page is drawn from until the others are inflated. */
function noSegments() {
  const none = new Int32Array(0);
  return { from: new Int32Array(index.clips.length + 1), total: 0, clipOf: none, isMotif: none, id: none, start: none, end: none, confidence: none };
}

async function loadSegments(scale) {
  const counts = index.scales[scale].counts;
  const from = new Int32Array(counts.length + 1);
  counts.forEach((count, clip) => { from[clip + 1] = from[clip] + count; });
  const total = from[counts.length];
  const rows = total ? await unpack(await blockText(`segments-${scale}`), 5, Int32Array) : new Int32Array(0);
  const row = (k) => rows.subarray(k * total, (k + 1) * total);
  const clipOf = new Int32Array(total);
  counts.forEach((_, clip) => clipOf.fill(clip, from[clip], from[clip + 1]));
  return {
    from, total, clipOf, isMotif: row(0), id: row(3),
    start: Float64Array.from(row(1), (ms) => ms / 1000), end: Float64Array.from(row(2), (ms) => ms / 1000),
    confidence: Float32Array.from(row(4), (thousandths) => thousandths / 1000),
  };
}
