// Dark or light: as the system wishes, or as the button says.

const KEY = "sketch2paint studio: theme";

/** Take up what the button said last time. */
export function startTheme() {
  show(kept());
}

/** The other one, and keep it; the system's own is not kept, so that it may change. */
export function turnTheme() {
  const theme = isDark() ? "light" : "dark";
  const own = systemIsDark() ? "dark" : "light";
  show(theme === own ? null : theme);
  try {
    if (theme === own) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // a browser that keeps nothing shows it all the same
  }
}

function show(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : systemIsDark();
}

function systemIsDark() {
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function kept() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
