/** Pages that belong together: one entry of the rail, and tabs between those that a person may see. */
import { NavLink, useLocation } from "react-router";
import { maySee, useSession } from "../api/session.ts";
import { keepZone } from "../url/search.ts";

export interface SectionPage {
  readonly to: string;
  readonly name: string;
  /** A permission, as the server names it. */
  readonly needs: string;
  /** It cannot be cut to some rows or fields. */
  readonly whole?: true;
}

/** Those of the pages that whoever is signed in may see. */
export function useVisible(pages: readonly SectionPage[]): readonly SectionPage[] {
  const { data } = useSession();
  return pages.filter(({ needs, whole }) => data !== undefined && maySee(data, needs, whole));
}

export function SectionTabs({ label, pages }: { readonly label: string; readonly pages: readonly SectionPage[] }) {
  const { search } = useLocation();
  return (
    <nav className="section-tabs" aria-label={label}>
      {useVisible(pages).map(({ to, name }) => (
        <NavLink key={to} to={keepZone(to, search)} className="section-tab">
          {name}
        </NavLink>
      ))}
    </nav>
  );
}
