/** How well data comes in, asked for again while a page shows it. */
import { useQuery } from "@tanstack/react-query";
import { request } from "../api/client.ts";
import type { Quality } from "../api/data.ts";

/** It rests on ticks of a second and changes in minutes. */
const refresh_ms = 10_000;

export function useQuality() {
  return useQuery({
    queryKey: ["quality"],
    refetchInterval: refresh_ms,
    queryFn: ({ signal }) => request<Quality>("/sources/quality", { signal }),
  });
}
