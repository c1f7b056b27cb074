/** The line above every page: is it live, how fast, in which time zone, in which theme. */
import { Tooltip, useMantineColorScheme } from "@mantine/core";
import { useLive } from "../api/live.ts";
import { formatCount, formatRate } from "../format/number.ts";
import { formatDuration, formatOffset, type Zone } from "../format/time.ts";
import { Only } from "./allowed.tsx";
import { Icon } from "./icons.tsx";
import { keysOf } from "./keymap.ts";

export function TopBar({ zone, toggleZone }: { readonly zone: Zone; readonly toggleZone: () => void }) {
  const word = zone === "utc" ? "UTC" : `Local ${formatOffset(new Date(), "local")}`;
  return (
    <header className="top-bar">
      <Only needs="alerts:read">
        <LiveLine />
      </Only>
      <div className="top-tools">
        <Tooltip label={`Switch between UTC and local time (${keysOf("zone")})`}>
          <button type="button" className="tool" onClick={toggleZone} aria-label={`${word}: time zone, switch`}>
            <Icon name="clock" />
            {word}
          </button>
        </Tooltip>
        <ThemeToggle />
      </div>
    </header>
  );
}

function LiveLine() {
  const { connection, status } = useLive();
  const word = connection === "live" ? "Live" : connection === "lost" ? "Connection lost, trying again" : "Connecting";
  return (
    <div className="live-line">
      <span className={`live-dot live-${connection}`} aria-hidden="true" />
      <span>{word}</span>
      {status !== undefined && connection === "live" && (
        <>
          <span className="live-figure" title="Events received a second">
            {formatRate(status.rate)}
          </span>
          <span className="live-figure" title="Time from receiving an event to having searched it for attacks">
            lag {formatDuration(status.lag_ms)}
          </span>
          <span className="live-figure wide-only" title="Events stored">
            {formatCount(status.events)} events
          </span>
        </>
      )}
    </div>
  );
}

const next_scheme = { auto: "light", light: "dark", dark: "auto" } as const;
const scheme_words = { auto: "System", light: "Light", dark: "Dark" } as const;
const scheme_icons = { auto: "auto", light: "sun", dark: "moon" } as const;

function ThemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Tooltip label="Theme: system, light, dark">
      <button
        type="button"
        className="tool"
        onClick={() => setColorScheme(next_scheme[colorScheme])}
        aria-label={`Theme is ${scheme_words[colorScheme].toLowerCase()}. Switch.`}
      >
        <Icon name={scheme_icons[colorScheme]} />
        {scheme_words[colorScheme]}
      </button>
    </Tooltip>
  );
}
