/** The frame around every page: rail, live line, time zone, theme, keys, and the way to the login page. */
import { Suspense, useEffect, useRef, useState } from "react";
import { NavLink, Outlet, useLocation, useNavigate } from "react-router";
import { onUnauthorised, request } from "../api/client.ts";
import { useLive, useLiveConnection } from "../api/live.ts";
import { formatCount } from "../format/number.ts";
import { data_pages } from "../sources/section.tsx";
import { keepZone, sign_in, useSearch } from "../url/search.ts";
import { Announcer, announce } from "./announce.tsx";
import { Boundary } from "./boundary.tsx";
import { KeyHelp } from "./help.tsx";
import { Icon, type IconName } from "./icons.tsx";
import { useKeys } from "./keys.ts";
import type { SectionPage } from "./section.tsx";
import { Loading } from "./states.tsx";
import { TopBar } from "./top_bar.tsx";
import { ZoneProvider } from "./zone.tsx";

interface Entry {
  readonly to: string;
  readonly icon: IconName;
  readonly name: string;
  /** Further pages of this entry. */
  readonly pages?: readonly SectionPage[];
}

const entries: readonly Entry[] = [
  { to: "/", icon: "now", name: "Now" },
  { to: "/alerts", icon: "alerts", name: "Alerts" },
  { to: "/events", icon: "events", name: "Events" },
  { to: "/metrics", icon: "metrics", name: "Metrics" },
  { to: "/rules", icon: "rules", name: "Rules" },
  { to: "/sources", icon: "sources", name: "Sources", pages: data_pages },
  { to: "/audit", icon: "audit", name: "Audit" },
];

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
  useLiveConnection();
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
    go_metrics: go("/metrics"),
    go_rules: go("/rules"),
    go_sources: go("/sources"),
    go_audit: go("/audit"),
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
    request("/session", { method: "DELETE" }).finally(() => navigate(sign_in));
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
            <button type="button" className="rail-link" onClick={() => setHelp(true)}>
              <Icon name="keyboard" size={18} />
              <span className="rail-name">Keys</span>
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
              <Suspense fallback={<Loading what="the page" />}>
                <Outlet />
              </Suspense>
            </Boundary>
          </main>
        </div>
      </div>
      <KeyHelp opened={help} onClose={() => setHelp(false)} />
      <Announcer />
    </ZoneProvider>
  );
}

function RailLink({ entry: { to, icon, name, pages = [] } }: { readonly entry: Entry }) {
  const { pathname, search } = useLocation();
  const inside = pages.some((page) => pathname === page.to);
  return (
    <NavLink
      to={keepZone(to, search)}
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
