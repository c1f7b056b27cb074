/** The pages about data on its way in and out. */
import { SectionTabs } from "../shell/section.tsx";

export const data_pages = [
  { to: "/sources", name: "Sources" },
  { to: "/quality", name: "Quality" },
  { to: "/enrichment", name: "Enrichment" },
  { to: "/pipelines", name: "Pipelines" },
  { to: "/sinks", name: "Sinks" },
] as const;

export function DataTabs() {
  return <SectionTabs label="Data in and out" pages={data_pages} />;
}
