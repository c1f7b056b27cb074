/** Colours and type of the console for both schemes; the same names are CSS variables in app.css. */
import { type CSSVariablesResolver, createTheme } from "@mantine/core";

export const theme = createTheme({
  primaryColor: "signal",
  // Shade 7 with white text reaches 5.9:1 in both schemes.
  primaryShade: { light: 7, dark: 7 },
  colors: {
    signal: ["#e8f3fa", "#cfe4f2", "#a3cde8", "#74b4dc", "#4c9dd0", "#2f8ac4", "#2079b3", "#17679b", "#135785", "#0d4066"],
  },
  defaultRadius: "sm",
  fontFamily: 'Inter, ui-sans-serif, system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif',
  fontFamilyMonospace: '"JetBrains Mono", ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  cursorType: "pointer",
  respectReducedMotion: true,
});

/** Mantine's own surfaces take the page's colours. */
export const resolver: CSSVariablesResolver = () => {
  const shared = {
    "--mantine-color-body": "var(--bg)",
    "--mantine-color-text": "var(--text)",
    "--mantine-color-dimmed": "var(--dim)",
    "--mantine-color-default": "var(--surface)",
    "--mantine-color-default-hover": "var(--surface-2)",
    "--mantine-color-default-border": "var(--line-strong)",
    "--mantine-color-default-color": "var(--text)",
    "--mantine-color-placeholder": "var(--dim)",
    "--mantine-color-error": "var(--bad)",
    "--mantine-color-anchor": "var(--accent)",
  };
  return { variables: {}, light: shared, dark: shared };
};
