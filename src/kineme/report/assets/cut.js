// From a scale's motifs to the groups that are shown: the dendrogram cut at a number of groups.

/** The groups that are left after the closest motifs were joined until `keep` remain: lists of motif numbers. */
function cutDendrogram(count, merges, keep) {
  const clusters = new Map(Array.from({ length: count }, (_, motif) => [motif, [motif]]));
  merges.slice(0, Math.max(0, count - keep)).forEach(([a, b], row) => {
    clusters.set(count + row, [...clusters.get(a), ...clusters.get(b)]);
    clusters.delete(a);
    clusters.delete(b);
  });
  return [...clusters.values()];
}

/** The order of the dendrogram's leaves: motifs that are alike stand side by side. */
function leafOrder(count, merges) {
  if (!merges.length) return Array.from({ length: count }, (_, motif) => motif);
  return cutDendrogram(count, merges, 1)[0];
}

/** What the page shows of a scale: groups of motifs (the most frequent first), their segments, transitions, colours. */
function viewOf(scaleNumber, table, keep) {
  const scale = index.scales[scaleNumber], motifs = scale.motifs;
  const groups = cutDendrogram(motifs.length, scale.merges, keep).map((members) => makeGroup(motifs, members));
  groups.sort((a, b) => b.count - a.count || a.head - b.head);
  const groupOf = new Int32Array(scale.ids.length).fill(-1);
  groups.forEach((group, number) => { group.number = number; group.members.forEach((m) => { groupOf[m] = number; }); });
  for (const group of groups) group.similar = similarGroups(motifs, group, groupOf).map((g) => groups[g]);
  addOccurrences(groups, groupOf, table);
  const view = { scaleNumber, scale, table, groups, groupOf, byId: new Map() };
  for (const group of groups) for (const member of group.members) view.byId.set(motifs[member].id, group);
  view.transitions = groupTransitions(scale, groupOf, groups.length);
  view.atomGroup = atomsToGroups(view);
  view.order = leafOrder(motifs.length, scale.merges);
  return view;
}

function makeGroup(motifs, members) {
  const sorted = [...members].sort((a, b) => motifs[b].count - motifs[a].count || a - b);
  const head = motifs[sorted[0]], count = members.reduce((sum, m) => sum + motifs[m].count, 0);
  const seconds = members.reduce((sum, m) => sum + motifs[m].count * motifs[m].mean, 0);
  const examples = [];
  for (let rank = 0; examples.length < 12; rank++) { // each member's first example, then each one's second ...
    const round = sorted.map((m) => motifs[m].examples[rank]).filter(Boolean);
    if (!round.length) break;
    examples.push(...round);
  }
  return {
    id: head.id, head: sorted[0], members: sorted, count, mean: count ? seconds / count : head.mean,
    seconds: members.reduce((sum, m) => sum + (motifs[m].seconds || 0), 0),
    given: head.name, words: head.words, parts: head.parts, examples: examples.slice(0, 12), still: head.still, alike: head.alike || [],
  };
}

function similarGroups(motifs, group, groupOf) {
  const found = new Set();
  const depth = Math.max(0, ...group.members.map((m) => motifs[m].similar.length));
  for (let rank = 0; rank < depth; rank++) {
    for (const member of group.members) {
      const other = motifs[member].similar[rank];
      if (other !== undefined && groupOf[other] !== group.number) found.add(groupOf[other]);
    }
  }
  return [...found].slice(0, 8);
}

/** Gives each group the numbers of its segments and its time in seconds, which before there are any is what its motifs say. */
function addOccurrences(groups, groupOf, table) {
  for (const group of groups) { group.segments = []; group.clips = new Set(); if (table.total) group.seconds = 0; }
  for (let s = 0; s < table.total; s++) {
    if (!table.isMotif[s]) continue;
    const group = groups[groupOf[table.id[s]]];
    group.segments.push(s);
    group.seconds += table.end[s] - table.start[s];
    group.clips.add(table.clipOf[s]);
  }
}

/** Counts between groups: next[a] is a map b -> count, before[b] a map a -> count. */
function groupTransitions(scale, groupOf, count) {
  const next = Array.from({ length: count }, () => new Map()), before = Array.from({ length: count }, () => new Map());
  for (const [from, to, times] of scale.transitions) {
    const a = groupOf[from], b = groupOf[to];
    next[a].set(b, (next[a].get(b) || 0) + times);
    before[b].set(a, (before[b].get(a) || 0) + times);
  }
  return { next, before };
}

/** For each id of an atom the group in which it is met most often, or -1: atoms take that group's colour. */
function atomsToGroups({ scale, table, groupOf }) {
  const votes = scale.ids.map(() => new Map());
  for (let clip = 0; clip + 1 < table.from.length; clip++) {
    const motifs = segmentsIn(table, clip, 1);
    let at = 0;
    for (const s of segmentsIn(table, clip, 0)) {
      const middle = (table.start[s] + table.end[s]) / 2;
      while (at < motifs.length && table.end[motifs[at]] <= middle) at++;
      if (at < motifs.length && table.start[motifs[at]] <= middle) {
        const group = groupOf[table.id[motifs[at]]], vote = votes[table.id[s]];
        vote.set(group, (vote.get(group) || 0) + 1);
      }
    }
  }
  return votes.map((vote) => [...vote].sort((a, b) => b[1] - a[1]).map(([group]) => group)[0] ?? -1);
}

/** Numbers of a clip's segments of one level (1 motif, 0 atom), by start. */
function segmentsIn(table, clip, level) {
  const found = [];
  for (let s = table.from[clip]; s < table.from[clip + 1]; s++) if (table.isMotif[s] === level) found.push(s);
  return found.sort((a, b) => table.start[a] - table.start[b]);
}
