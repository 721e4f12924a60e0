// The names that the user gives to motifs. Served by `kineme open` they are saved in the library; opened from
// disk they are kept in this browser, and "Download names" makes the file that `kineme name --from` reads.

const LONGEST_NAME = 80;

const names = {
  given: new Map(), served: false, listeners: [],
  key: `kineme-names-${index.library}`,

  start() {
    const block = JSON.parse(byId("names").textContent);
    this.served = block.served;
    this.given = new Map(Object.entries(block.names));
    for (const [id, name] of Object.entries(this.local())) name ? this.given.set(id, name) : this.given.delete(id);
  },

  /** Changes kept in this browser since the page was written: id -> name, "" for a name taken away. */
  local() {
    if (this.served) return {};
    try {
      const kept = JSON.parse(localStorage.getItem(this.key));
      return kept && typeof kept === "object" ? kept : {};
    } catch { return {}; } // no storage, or not ours: then there is nothing kept
  },

  /** The name shown for a group: the user's, else the library's, else the words. */
  of(group) {
    for (const member of group.members) {
      const name = this.given.get(index.scales[state.scale].motifs[member].id);
      if (name) return name;
    }
    return group.given || group.words;
  },

  isGiven(group) { return this.of(group) !== group.words; },

  async give(group, text) {
    const name = text.replace(/\s+/g, " ").trim().slice(0, LONGEST_NAME);
    const motifs = index.scales[state.scale].motifs;
    const held = group.members.find((m) => this.given.has(motifs[m].id));
    const id = motifs[held ?? group.head].id;
    if (name && name !== group.words) this.given.set(id, name); else this.given.delete(id);
    this.listeners.forEach((tell) => tell());
    await this.save(id, this.given.get(id) || "");
  },

  async save(id, name) {
    if (this.served) {
      try {
        const answer = await fetch("names", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ id, name }) });
        if (!answer.ok) throw new Error(await answer.text());
        return say("Saved in the library.");
      } catch (error) {
        return say(`Not saved: ${error.message || "kineme open is no longer running"}. Start kineme open again, or download the names.`);
      }
    }
    try {
      localStorage.setItem(this.key, JSON.stringify({ ...this.local(), [id]: name }));
      say("Kept in this browser. To put it in the library: Download names, or look at the page with kineme open.");
    } catch {
      say("This browser keeps nothing for pages opened from disk: use Download names before you close the page.");
    }
  },

  download() {
    const content = { format: 1, library: index.library, names: Object.fromEntries([...this.given].sort()) };
    download("names.json", "application/json", `${JSON.stringify(content, null, 1)}\n`);
  },
};

/** A short message at the foot of the page. */
function say(text) {
  const line = byId("message");
  line.textContent = text;
  line.classList.add("shown");
  clearTimeout(say.timer);
  say.timer = setTimeout(() => line.classList.remove("shown"), 5000);
}

/** A heading with a group's name that turns into a field when it is clicked. */
function nameField(group, tag = "h3") {
  const label = el("span", { class: "name-text" });
  const button = el("button", { type: "button", class: "name", title: "Give it a name" }, label, icon("pencil"));
  const holder = el(tag, { class: "name-holder" }, button);
  const refresh = () => { label.textContent = names.of(group); };
  const edit = () => {
    const field = el("input", { class: "name-input", maxlength: LONGEST_NAME, "aria-label": "Name of this motif", placeholder: group.words });
    let done = false;
    field.value = names.isGiven(group) ? names.of(group) : "";
    const finish = (keep) => {
      if (done) return;
      done = true;
      holder.replaceChildren(button);
      if (keep && field.value.trim() !== (names.isGiven(group) ? names.of(group) : "")) names.give(group, field.value);
      refresh();
    };
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault(); // or the key would press the button that the focus goes to
      finish(event.key === "Enter");
      button.focus();
    });
    field.addEventListener("blur", () => finish(true));
    holder.replaceChildren(field);
    field.focus();
    field.select();
  };
  button.addEventListener("click", edit);
  holder.addEventListener("renamed", refresh);
  refresh();
  return holder;
}
