// Files that the page makes: segments as CSV, names as JSON.

function download(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = el("a", { href: url, download: name.replace(/[^\p{L}\p{N}._-]+/gu, "_") });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** A CSV cell (RFC 4180). A path that a spreadsheet would take for a formula is written as the same path with ./ */
function cell(text) {
  const safe = /^[=+\-@\t\r]/.test(text) ? `./${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function segmentsCsv(view, segments) {
  const { table, scale } = view;
  const lines = segments.map((s) => [
    cell(index.clips[table.clipOf[s]].source), table.isMotif[s] ? "motif" : "atom",
    table.start[s].toFixed(3), table.end[s].toFixed(3), cell(exportId(view, s)), table.confidence[s].toFixed(3),
  ].join(","));
  return `file,level,start,end,id,confidence\r\n${lines.map((line) => `${line}\r\n`).join("")}`;
}

/** The id that a segment is known by; a motif joined with others goes by its group's. */
function exportId({ table, scale, groups, groupOf }, s) {
  return table.isMotif[s] ? groups[groupOf[table.id[s]]].id : scale.ids[table.id[s]];
}

function downloadSegments(view, segments, name) { download(name, "text/csv", segmentsCsv(view, segments)); }

function downloadAlike(group) {
  const lines = group.alike.map(([clip, start, end, mirrored, distance]) => [
    cell(index.clips[clip].source), start.toFixed(3), end.toFixed(3), (100 * distance).toFixed(2), mirrored ? "yes" : "no",
  ].join(","));
  download(`${group.id}-alike.csv`, "text/csv", `file,start,end,distance_cm,mirrored\r\n${lines.map((line) => `${line}\r\n`).join("")}`);
}

function downloadAllSegments() {
  downloadSegments(state.view, Array.from({ length: state.view.table.total }, (_, s) => s), "segments.csv");
}
