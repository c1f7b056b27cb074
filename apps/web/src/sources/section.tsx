/** The pages about data on its way in and out. */
import { SectionTabs } from "../shell/section.tsx";

export const data_pages = [
  { to: "/sources", name: "Sources", needs: "sources:read" },
  { to: "/quality", name: "Quality", needs: "sources:read" },
  { to: "/enrichment", name: "Enrichment", needs: "system:read" },
  { to: "/pipelines", name: "Pipelines", needs: "system:read" },
  { to: "/sinks", name: "Sinks", needs: "system:read" },
] as const;

export function DataTabs() {
  return <SectionTabs label="Data in and out" pages={data_pages} />;
}
