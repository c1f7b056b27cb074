/** Pages that belong together: one entry of the rail, and tabs between them. */
import { NavLink, useLocation } from "react-router";
import { keepZone } from "../url/search.ts";

export interface SectionPage {
  readonly to: string;
  readonly name: string;
}

export function SectionTabs({ label, pages }: { readonly label: string; readonly pages: readonly SectionPage[] }) {
  const { search } = useLocation();
  return (
    <nav className="section-tabs" aria-label={label}>
      {pages.map(({ to, name }) => (
        <NavLink key={to} to={keepZone(to, search)} className="section-tab">
          {name}
        </NavLink>
      ))}
    </nav>
  );
}
