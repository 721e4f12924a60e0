// About this page: what the words mean, and how this library was made.

function showAbout(view) {
  const settings = [
    ...Object.entries(index.model), ["Time scale", view.scale.name], ["Motifs", `${view.groups.length} shown of ${view.scale.motifs.length}`],
    ["Clips", index.clips.length.toLocaleString("en")], ["Made with", index.createdWith],
  ];
  byId("settings").replaceChildren(...settings.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value))]));
}
