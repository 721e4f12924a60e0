// Small helpers to build the page. Text always goes in as text, never as markup.

const byId = (id) => document.getElementById(id);
const calmly = matchMedia("(prefers-reduced-motion: reduce)");

/** An element: `el("p", { class: "note", onclick: f }, "text", child)`. */
function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

const ICONS = {
  play: "M7 4.5v15l12-7.5z", pause: "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z",
  back: "M16 6l-8 6 8 6zM6 6h1.8v12H6z", forward: "M8 6l8 6-8 6zM16.2 6H18v12h-1.8z",
  stepback: "M15 6l-7 6 7 6z", stepforward: "M9 6l7 6-7 6z",
  pencil: "M4 20l1-4L16 5l3 3L8 19zM14.5 6.5l3 3", download: "M11 4h2v8h3l-4 5-4-5h3zM5 19h14v1.6H5z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z", minus: "M5 11h14v2H5z", home: "M12 5a7 7 0 107 7h-2a5 5 0 11-5-5v3l5-4-5-4z",
  sun: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 5v14a7 7 0 010-14z",
};

function icon(name) {
  return svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" }, svg("path", { d: ICONS[name], "fill-rule": "evenodd" }));
}

function iconButton(name, label, onclick, extra = {}) {
  return el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...extra }, icon(name));
}

/** The title and the sentences under it. Returns whether the browser can show the rest, and says it where it cannot. */
function showLead(title, sentences) {
  byId("title").textContent = title;
  byId("summary").replaceChildren(...sentences.map((sentence) => el("span", {}, `${sentence} `)));
  if (typeof DecompressionStream !== "undefined") return true;
  byId("summary").append(el("span", { class: "warning" }, "This page needs a browser of 2023 or later (Chrome 103, Firefox 113, Safari 16.4)."));
  return false;
}

/** `1.4 s`, `48 s`, `6 min 20 s`, `3 h 24 min`. */
function sayDuration(seconds) {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A place in a clip: `0:03.4`. */
function sayTime(seconds) {
  const tenths = Math.round(seconds * 10), minutes = Math.floor(tenths / 600);
  return `${minutes}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
}

function sayShare(part, whole) {
  const percent = whole ? (100 * part) / whole : 0;
  return percent > 0 && percent < 1 ? "under 1%" : `${Math.round(percent)}%`;
}

function times(count) { return count === 1 ? "once" : `${count.toLocaleString("en")} times`; }

/** Shows `make(item)` for each item, some now and more as the end comes near: long lists stay quick. */
function lazyList(parent, items, make, chunk = 60) {
  let shown = 0;
  const end = el(parent.tagName === "TBODY" ? "tr" : "div", { class: "list-end" });
  const more = () => {
    end.before(...items.slice(shown, shown + chunk).map((item, k) => make(item, shown + k)));
    shown += chunk;
    watch.disconnect();
    if (shown < items.length) watch.observe(end); // observing anew asks again, should the end still be in sight
    else end.remove();
  };
  const watch = new IntersectionObserver((seen) => { if (seen.some((s) => s.isIntersecting)) more(); }, { rootMargin: "600px" });
  parent.replaceChildren(end);
  more();
}
