/** The pages about what is on record, what is kept for a case, and what went for good. */
import { SectionTabs } from "../shell/section.tsx";

export const record_pages = [
  { to: "/audit", name: "Audit trail", needs: "audit:read" },
  { to: "/holds", name: "Legal holds", needs: "holds:read" },
  { to: "/erasures", name: "Erasures", needs: "audit:read" },
] as const;

export function RecordTabs() {
  return <SectionTabs label="Record" pages={record_pages} />;
}
