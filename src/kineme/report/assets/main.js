// Puts the page together: state, routes, the two dials, themes.

const state = { scale: index.defaultScale, keep: null, view: null, colours: null, route: "motifs" };
const darkScheme = matchMedia("(prefers-color-scheme: dark)");
const narrow = matchMedia("(max-width: 820px)");
const ROUTES = ["motifs", "motif", "clip", "transitions", "about"];

/** The colours that canvases take from the style sheet. */
let themeCache = null;
function theme() {
  if (!themeCache) {
    const style = getComputedStyle(document.documentElement), get = (name) => style.getPropertyValue(name).trim();
    themeCache = { ink: get("--ink"), soft: get("--soft"), faint: get("--faint"), line: get("--line"), label: get("--label"), font: get("--sans") };
  }
  return themeCache;
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : darkScheme.matches;
}

function changeTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  refreshTheme();
}

function refreshTheme() {
  themeCache = null;
  state.colours = coloursOf(state.view, isDark());
  render();
}

/** Cuts the chosen scale anew and shows it everywhere, once its segments are there. */
let asked = 0;
async function refresh() {
  const mine = ++asked, table = await segmentsOf(state.scale);
  if (mine === asked) showCut(table); // else a later wish has overtaken this one
}

function showCut(table) {
  const count = index.scales[state.scale].motifs.length;
  state.view = viewOf(state.scale, table, Math.min(state.keep ?? count, count));
  state.colours = coloursOf(state.view, isDark());
  showDials();
  render();
}

function render() {
  const { view, colours } = state;
  showRibbon(view, colours);
  route(false);
  if (clips.chosen >= 0 || state.route === "clip") clips.showList();
}

function showDials() {
  const scale = index.scales[state.scale], count = scale.motifs.length;
  const number = byId("dial-number"), time = byId("dial-scale");
  number.max = Math.max(count, 1);
  number.min = Math.min(2, Math.max(count, 1));
  number.value = state.view.groups.length;
  number.disabled = !scale.merges.length;
  byId("dial-number-value").textContent = state.view.groups.length;
  time.max = index.scales.length - 1;
  time.value = state.scale;
  byId("dial-scale-value").textContent = scale.name;
  byId("dial-scale-box").hidden = index.scales.length < 2;
}

/**
 * Reads the address: #motifs, #motif/ID[/similar], #clip/NUMBER/SECONDS, #transitions, #about.
 * `moved`: the address has changed, and not only what is shown there.
 */
function route(moved) {
  const [name, ...rest] = location.hash.slice(1).split("/").map(decodeSafely);
  state.route = ROUTES.includes(name) ? name : "motifs";
  document.body.dataset.route = state.route;
  for (const view of ROUTES) byId(`view-${view}`).hidden = view !== state.route;
  document.querySelectorAll(".tabs a").forEach((tab) => {
    const current = tab.hash === `#${state.route}` || (state.route === "motif" && tab.hash === "#motifs");
    current ? tab.setAttribute("aria-current", "page") : tab.removeAttribute("aria-current");
  });
  if (state.route !== "clip" && clips.stage.playing) clips.stage.play(false);
  const { view, colours } = state;
  if (state.route === "motifs") showGallery(view, colours);
  if (state.route === "motif") showMotif(view, colours, rest[0], moved && rest[1] === "similar");
  if (state.route === "transitions") showGraph(view, colours);
  if (state.route === "about") showAbout(view);
  if (state.route === "clip") openClip(rest, moved);
}

function decodeSafely(text) { try { return decodeURIComponent(text); } catch { return text; } }

function openClip([number, seconds], moved) {
  if (!byId("clip-list").firstChild) clips.showList();
  const given = number !== undefined && number !== "", clip = given ? Number(number) : Math.max(clips.chosen, 0);
  const jump = given && (moved || clips.chosen !== clip);
  const time = jump ? (Number(seconds) || 0) + 0.001 : clips.stage.time;
  clips.show(clip, time, given && clips.chosen !== clip);
}

function wire() {
  let galleryAt = 0; // how far the gallery was scrolled when it was left
  addEventListener("hashchange", () => {
    if (state.route === "motifs") galleryAt = scrollY;
    const from = state.route, top = byId("main").offsetTop - byId("toolbar").offsetHeight;
    route(true);
    if (state.route === "motifs") scrollTo(0, galleryAt);
    else if (!location.hash.endsWith("/similar") && (from !== "clip" || state.route !== "clip" || narrow.matches)) scrollTo(0, Math.min(scrollY, top));
  });
  byId("dial-number").addEventListener("input", (event) => { state.keep = Number(event.target.value); refresh(); });
  byId("dial-scale").addEventListener("input", (event) => {
    state.scale = Number(event.target.value);
    state.keep = null;
    if (state.route === "motif") location.hash = "#motifs";
    refresh();
  });
  byId("theme").append(icon("sun"));
  byId("csv-all").prepend(icon("download"));
  byId("download-names").prepend(icon("download"));
  byId("theme").addEventListener("click", changeTheme);
  darkScheme.addEventListener("change", refreshTheme);
  pauseButton();
  byId("csv-all").addEventListener("click", downloadAllSegments);
  byId("csv-clip").addEventListener("click", () => clips.downloadCsv());
  byId("download-names").addEventListener("click", () => names.download());
  names.listeners.push(() => {
    showRibbon(state.view, state.colours);
    document.querySelectorAll(".name-holder, .name-follower").forEach((line) => line.dispatchEvent(new Event("renamed")));
  });
}

async function start() {
  byId("short-title").textContent = index.title;
  if (!showLead(index.title, index.summary)) return;
  names.start();
  clips.start();
  wire();
  // The gallery needs little of the segments: it stands, with its figures, before anything is inflated.
  if (["", "#motifs"].includes(location.hash)) showCut(noSegments());
  await refresh();
  document.documentElement.dataset.ready = "true";
}

start();
