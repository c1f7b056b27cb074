/** How well data comes in, asked for again while a page shows it. */
import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";

/** It rests on ticks of a second and changes in minutes. */
const refresh_ms = 10_000;

export function useQuality() {
  return useQuery({
    queryKey: ["quality"],
    refetchInterval: refresh_ms,
    queryFn: ({ signal }) => api.get("/sources/quality", { signal }),
  });
}
