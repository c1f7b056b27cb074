/** The frame around every page: rail, live line, time zone, theme, keys, and the way to the login page. */
import { Suspense, useEffect, useRef, useState } from "react";
import { Navigate, NavLink, Outlet, useLocation, useNavigate } from "react-router";
import { access_pages } from "../access/section.tsx";
import type { WhoIs } from "../api/access.ts";
import { api, onUnauthorised } from "../api/client.ts";
import { useLive, useLiveConnection } from "../api/live.ts";
import { queryClient } from "../api/query_client.ts";
import { useMay, useSession } from "../api/session.ts";
import { record_pages } from "../audit/section.tsx";
import { formatCount } from "../format/number.ts";
import { data_pages } from "../sources/section.tsx";
import { keepZone, sign_in, useSearch } from "../url/search.ts";
import { Announcer, announce } from "./announce.tsx";
import { Boundary } from "./boundary.tsx";
import { KeyHelp } from "./help.tsx";
import { Icon, type IconName } from "./icons.tsx";
import { useKeys } from "./keys.ts";
import { type SectionPage, useVisible } from "./section.tsx";
import { Loaded, Loading } from "./states.tsx";
import { Hostile } from "./text.tsx";
import { TopBar } from "./top_bar.tsx";
import { ZoneProvider } from "./zone.tsx";

interface Entry {
  readonly to: string;
  readonly icon: IconName;
  readonly name: string;
  /** Without it the entry is not shown; where it has pages of its own, without those of all of them. */
  readonly needs?: string;
  /** Further pages of this entry. */
  readonly pages?: readonly SectionPage[];
}

const entries: readonly Entry[] = [
  { to: "/", icon: "now", name: "Now" },
  { to: "/alerts", icon: "alerts", name: "Alerts", needs: "alerts:read" },
  { to: "/events", icon: "events", name: "Events", needs: "events:read" },
  { to: "/series", icon: "metrics", name: "Metrics", needs: "events:read" },
  { to: "/hpc", icon: "cluster", name: "HPC", needs: "events:read" },
  { to: "/rules", icon: "rules", name: "Rules", needs: "rules:read" },
  { to: "/sources", icon: "sources", name: "Sources", pages: data_pages },
  { to: "/users", icon: "people", name: "Access", pages: access_pages },
  { to: "/audit", icon: "audit", name: "Audit", pages: record_pages },
];

/** Ends the session; where else one is to sign out, for whoever came by a provider. */
async function signOutOf(who: WhoIs | undefined): Promise<string | undefined> {
  if (who?.session?.by === "oidc") {
    const left = await api.post("/oidc/logout").catch(() => undefined);
    if (left !== undefined) return left.location;
  }
  await api.delete("/session").catch(() => undefined);
  return undefined;
}

/** Leads to the login page on a 401 and remembers where the person was. */
function useLoginRedirect(): void {
  const navigate = useNavigate();
  useEffect(
    () =>
      onUnauthorised(() => {
        const { pathname, search } = window.location;
        if (pathname === sign_in) return;
        const next = `${pathname}${search}`;
        navigate(next === "/" ? sign_in : `${sign_in}?next=${encodeURIComponent(next)}`, { replace: true });
      }),
    [navigate],
  );
}

export function Shell() {
  const session = useSession();
  useLiveConnection({ stream: useMay("alerts:read"), status: useMay("system:read") });
  useLoginRedirect();
  const [help, setHelp] = useState(false);
  const navigate = useNavigate();
  const location = useLocation();
  const { params, patch } = useSearch();
  const main = useRef<HTMLElement>(null);
  const go = (path: string) => () => navigate(keepZone(path, window.location.search));
  const toggleZone = () => patch({ z: params.get("z") === "utc" ? undefined : "utc" }, { replace: true });
  useKeys({
    help: () => setHelp(true),
    go_now: go("/"),
    go_alerts: go("/alerts"),
    go_events: go("/events"),
    go_metrics: go("/series"),
    go_hpc: go("/hpc"),
    go_rules: go("/rules"),
    go_sources: go("/sources"),
    go_audit: go("/audit"),
    go_access: go("/users"),
    go_profile: go("/profile"),
    zone: toggleZone,
    copy_link: () => {
      navigator.clipboard?.writeText(window.location.href).then(
        () => announce("Link copied"),
        () => announce("The browser did not allow copying"),
      );
    },
  });
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page starts at its top, with the focus on it
  useEffect(() => {
    if (first.current) first.current = false;
    else {
      main.current?.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
  }, [location.pathname]);
  const signOut = () => {
    signOutOf(session.data).then((location) => {
      queryClient.clear();
      if (location === undefined) navigate(sign_in);
      else window.location.assign(location);
    });
  };
  return (
    <ZoneProvider>
      <a className="skip-link" href="#main">
        Skip to content
      </a>
      <div className="shell">
        <nav className="rail" aria-label="Pages">
          <div className="brand">
            <img src="/favicon.svg" alt="" width={24} height={24} />
            <span>Vedette</span>
          </div>
          {entries.map((entry) => (
            <RailLink key={entry.to} entry={entry} />
          ))}
          <div className="rail-foot">
            <NavLink to={keepZone("/profile", location.search)} className="rail-link">
              <Icon name="person" size={18} />
              <span className="rail-name clip">{session.data === undefined ? "Profile" : <Hostile text={session.data.user} />}</span>
            </NavLink>
            <button type="button" className="rail-link" onClick={() => setHelp(true)}>
              <Icon name="keyboard" size={18} />
              <span className="rail-name">Shortcuts</span>
            </button>
            <button type="button" className="rail-link" onClick={signOut}>
              <Icon name="exit" size={18} />
              <span className="rail-name">Sign out</span>
            </button>
          </div>
        </nav>
        <div className="stage">
          <TopBar zone={params.get("z") === "utc" ? "utc" : "local"} toggleZone={toggleZone} />
          <main id="main" ref={main} tabIndex={-1}>
            <Boundary page={location.pathname}>
              <Loaded query={session} what="Your session" rows={8}>
                {({ duty }) =>
                  duty !== undefined && location.pathname !== "/profile" ? (
                    <Navigate to="/profile" replace />
                  ) : (
                    <Suspense fallback={<Loading what="the page" />}>
                      <Outlet />
                    </Suspense>
                  )
                }
              </Loaded>
            </Boundary>
          </main>
        </div>
      </div>
      <KeyHelp opened={help} onClose={() => setHelp(false)} />
      <Announcer />
    </ZoneProvider>
  );
}

function RailLink({ entry: { to, icon, name, needs, pages } }: { readonly entry: Entry }) {
  const { pathname, search } = useLocation();
  const visible = useVisible(pages ?? (needs === undefined ? [] : [{ to, name, needs }]));
  const first = needs === undefined && pages === undefined ? to : visible[0]?.to;
  if (first === undefined) return null;
  const inside = visible.some((page) => pathname === page.to || pathname.startsWith(`${page.to}/`));
  return (
    <NavLink
      to={keepZone(first, search)}
      end={to === "/"}
      className={({ isActive }) => (isActive || inside ? "rail-link active" : "rail-link")}
    >
      <Icon name={icon} size={18} />
      <span className="rail-name">{name}</span>
      {to === "/alerts" && <OpenCount />}
    </NavLink>
  );
}

/** How many alerts are open, on the rail. */
function OpenCount() {
  const { status } = useLive();
  if (status === undefined) return null;
  const open = Object.values(status.alerts.open).reduce((sum, count) => sum + count, 0);
  if (open === 0) return null;
  return (
    <span className="rail-count">
      {formatCount(open)}
      <span className="visually-hidden"> open</span>
    </span>
  );
}
