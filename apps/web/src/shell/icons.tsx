/** Line icons drawn for this console, 24 × 24, in the colour of the text around them. Always beside a word, so hidden from screen readers. */

const paths = {
  now: "M3 12h4l3-8 4 16 3-8h4",
  alerts: "M12 3 2.5 20h19zM12 9.5v5M12 17.4v.1",
  events: "M4 5h16M4 10h16M4 15h10M4 20h7",
  rules: "M5 4h11l3 3v13H5zM8.5 10h7M8.5 14h7",
  sources: "M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3zM4 6v12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3",
  metrics: "M4 20V4M4 20h16M7 16l4-5 3 3 5-7",
  cluster: "M3 3h7v7H3zM14 3h7v7h-7zM3 14h7v7H3zM14 14h7v7h-7z",
  audit: "M6 3h9l4 4v14H6zM9 9h6M9 13h6M9.5 17l1.5 1.5 3-3",
  people: "M9 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM2.5 20c.6-4 3-6 6.5-6s5.9 2 6.5 6M16 5a3.5 3.5 0 0 1 0 6.5M18.5 14.5c1.8 1 2.8 2.800 3 5.5",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20c.8-4 3.5-6 7.5-6s6.700 2 7.5 6",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v2",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.7 1.7M17.3 17.3 19 19M19 5l-1.7 1.7M6.7 17.3 5 19",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  auto: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 3v18M12 7h5M12 12h8M12 17h5",
  keyboard: "M3 6h18v12H3zM7 10h.1M11 10h.1M15 10h.1M7 14h10",
  check: "M4 12.5 9.5 18 20 6.5",
  cross: "M5 5l14 14M19 5 5 19",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 21 21",
  download: "M12 4v11M7 10.5l5 5 5-5M4 20h16",
  copy: "M8 8h12v12H8zM4 16V4h12",
  play: "M7 4.5v15l12-7.5z",
  pause: "M8 5v14M16 5v14",
  refresh: "M20 11a8 8 0 1 0-2.3 6.7M20 4v7h-7",
  back: "M14 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  down: "M5 9l7 7 7-7",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.5 2.5",
  exit: "M10 4H4v16h6M14 8l4 4-4 4M18 12H9",
  warning: "M12 3 2.5 20h19zM12 9.5v5M12 17.4v.1",
  info: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v6M12 7.4v.1",
  note: "M4 5h16v11H10l-4 4v-4H4z",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
