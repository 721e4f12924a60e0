// Light and dark, for pages that have no more than that to choose.

const darkScheme = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : darkScheme.matches;
}

/** Makes the button switch the theme; `show` puts the page together anew. */
function themeButton(button, show) {
  button.append(icon("sun"));
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    show();
  });
  darkScheme.addEventListener("change", show);
}
