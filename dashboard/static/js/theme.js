// Sets the colours before anything is drawn: the system's, unless the person chose. A classic script for that reason.
(() => {
  "use strict";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  let chosen = null;
  try { chosen = localStorage.getItem("theme"); } catch { /* storage is switched off: the system decides */ }

  const apply = () => { root.dataset.theme = chosen ?? (system.matches ? "dark" : "light"); };
  apply();
  system.addEventListener("change", apply);

  window.sreSpaceTheme = {
    get chosen() { return chosen; },
    next() {
      chosen = { null: "light", light: "dark", dark: null }[chosen];
      try { chosen ? localStorage.setItem("theme", chosen) : localStorage.removeItem("theme"); } catch { /* as above */ }
      apply();
    },
  };
})();
