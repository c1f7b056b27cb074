/** The time zone of the page, from `z=` in the address, and the element that shows a time in it. */
import { createContext, type ReactNode, useContext } from "react";
import { formatTime, type TimeStyle, timeParts, type Zone } from "../format/time.ts";
import { useSearch } from "../url/search.ts";

const ZoneContext = createContext<Zone>("local");

export function ZoneProvider({ children }: { readonly children: ReactNode }) {
  const { params } = useSearch();
  return <ZoneContext.Provider value={params.get("z") === "utc" ? "utc" : "local"}>{children}</ZoneContext.Provider>;
}

export function useZone(): Zone {
  return useContext(ZoneContext);
}

/** A time with its offset; the exact value with microseconds on hover. */
export function Time({ iso, ...style }: { readonly iso: string } & TimeStyle) {
  const zone = useZone();
  const { text, offset } = timeParts(iso, zone, style);
  return (
    <time className="time" dateTime={iso} title={formatTime(iso, zone, { digits: 6 })}>
      {text} <span className="offset">{offset}</span>
    </time>
  );
}
