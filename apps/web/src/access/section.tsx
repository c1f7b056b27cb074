/** The pages about who may do what. */
import { SectionTabs } from "../shell/section.tsx";

export const access_pages = [
  { to: "/users", name: "People", needs: "users:read" },
  { to: "/roles", name: "Roles", needs: "users:read" },
  { to: "/machines", name: "Machines", needs: "machines:read" },
  { to: "/keys-at-rest", name: "Keys at rest", needs: "users:read" },
] as const;

export function AccessTabs() {
  return <SectionTabs label="Access" pages={access_pages} />;
}
