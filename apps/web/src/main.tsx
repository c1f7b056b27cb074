/** Starts the console: theme, data cache and routes, one chunk a page. */
import { MantineProvider } from "@mantine/core";
import "./mantine.css";
import "./app.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { type ComponentType, lazy, StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter, Route, Routes } from "react-router";
import { queryClient } from "./api/query_client.ts";
import { NowPage } from "./now/now_page.tsx";
import { Allowed } from "./shell/allowed.tsx";
import { NotFound } from "./shell/not_found.tsx";
import { Shell } from "./shell/shell.tsx";
import { resolver, theme } from "./theme.ts";
import { sign_in } from "./url/search.ts";

const AlertsPage = lazy(() => import("./alerts/alerts_page.tsx").then((page) => ({ default: page.AlertsPage })));
const AlertPage = lazy(() => import("./alerts/alert_page.tsx").then((page) => ({ default: page.AlertPage })));
const EventsPage = lazy(() => import("./events/events_page.tsx").then((page) => ({ default: page.EventsPage })));
const RulesPage = lazy(() => import("./rules/rules_page.tsx").then((page) => ({ default: page.RulesPage })));
const SourcesPage = lazy(() => import("./sources/sources_page.tsx").then((page) => ({ default: page.SourcesPage })));
const SourcePage = lazy(() => import("./sources/source_page.tsx").then((page) => ({ default: page.SourcePage })));
const QualityPage = lazy(() => import("./quality/quality_page.tsx").then((page) => ({ default: page.QualityPage })));
const EnrichmentPage = lazy(() => import("./enrichment/enrichment_page.tsx").then((page) => ({ default: page.EnrichmentPage })));
const PipelinesPage = lazy(() => import("./pipelines/pipelines_page.tsx").then((page) => ({ default: page.PipelinesPage })));
const SinksPage = lazy(() => import("./sinks/sinks_page.tsx").then((page) => ({ default: page.SinksPage })));
const MetricsPage = lazy(() => import("./metrics/metrics_page.tsx").then((page) => ({ default: page.MetricsPage })));
const HpcPage = lazy(() => import("./hpc/hpc_page.tsx").then((page) => ({ default: page.HpcPage })));
const AuditPage = lazy(() => import("./audit/audit_page.tsx").then((page) => ({ default: page.AuditPage })));
const HoldsPage = lazy(() => import("./holds/holds_page.tsx").then((page) => ({ default: page.HoldsPage })));
const ErasuresPage = lazy(() => import("./erasures/erasures_page.tsx").then((page) => ({ default: page.ErasuresPage })));
const UsersPage = lazy(() => import("./access/users_page.tsx").then((page) => ({ default: page.UsersPage })));
const UserPage = lazy(() => import("./access/user_page.tsx").then((page) => ({ default: page.UserPage })));
const RolesPage = lazy(() => import("./access/roles_page.tsx").then((page) => ({ default: page.RolesPage })));
const MachinesPage = lazy(() => import("./access/machines_page.tsx").then((page) => ({ default: page.MachinesPage })));
const VaultPage = lazy(() => import("./vault/vault_page.tsx").then((page) => ({ default: page.VaultPage })));
const BacktestsPage = lazy(() => import("./backtests/backtests_page.tsx").then((page) => ({ default: page.BacktestsPage })));
const ProfilePage = lazy(() => import("./profile/profile_page.tsx").then((page) => ({ default: page.ProfilePage })));
const LoginPage = lazy(() => import("./login/login_page.tsx").then((page) => ({ default: page.LoginPage })));

/** Each with the permission without which the server would show nothing of it. */
const pages: readonly { readonly path: string; readonly needs: string; readonly whole?: true; readonly Page: ComponentType }[] = [
  { path: "/alerts", needs: "alerts:read", Page: AlertsPage },
  { path: "/alerts/:id", needs: "alerts:read", Page: AlertPage },
  { path: "/events", needs: "events:read", Page: EventsPage },
  // /metrics is the server's own, for Prometheus
  { path: "/series", needs: "events:read", Page: MetricsPage },
  { path: "/hpc", needs: "events:read", Page: HpcPage },
  { path: "/rules", needs: "rules:read", Page: RulesPage },
  { path: "/backtests", needs: "backtests:run", Page: BacktestsPage },
  { path: "/sources", needs: "sources:read", Page: SourcesPage },
  { path: "/sources/:name", needs: "sources:read", Page: SourcePage },
  { path: "/quality", needs: "sources:read", Page: QualityPage },
  { path: "/enrichment", needs: "system:read", Page: EnrichmentPage },
  { path: "/pipelines", needs: "system:read", Page: PipelinesPage },
  { path: "/sinks", needs: "system:read", Page: SinksPage },
  { path: "/users", needs: "users:read", Page: UsersPage },
  { path: "/users/:id", needs: "users:read", Page: UserPage },
  { path: "/roles", needs: "users:read", Page: RolesPage },
  { path: "/machines", needs: "machines:read", Page: MachinesPage },
  { path: "/keys-at-rest", needs: "users:read", Page: VaultPage },
  { path: "/audit", needs: "audit:read", Page: AuditPage },
  { path: "/holds", needs: "holds:read", Page: HoldsPage },
  { path: "/erasures", needs: "audit:read", Page: ErasuresPage },
];

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={resolver} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <BrowserRouter>
          <Routes>
            {["/login", sign_in].map((path) => (
              <Route
                key={path}
                path={path}
                element={
                  <Suspense fallback={null}>
                    <LoginPage />
                  </Suspense>
                }
              />
            ))}
            <Route element={<Shell />}>
              <Route index element={<NowPage />} />
              <Route path="/profile" element={<ProfilePage />} />
              {pages.map(({ path, needs, whole, Page }) => (
                <Route
                  key={path}
                  path={path}
                  element={
                    <Allowed needs={needs} whole={whole}>
                      <Page />
                    </Allowed>
                  }
                />
              ))}
              <Route path="*" element={<NotFound />} />
            </Route>
          </Routes>
        </BrowserRouter>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
