/** Starts the console: theme, data cache and routes, one chunk a page. */
import { MantineProvider } from "@mantine/core";
import "./mantine.css";
import "./app.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter, Route, Routes } from "react-router";
import { queryClient } from "./api/query_client.ts";
import { NowPage } from "./now/now_page.tsx";
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
const AuditPage = lazy(() => import("./audit/audit_page.tsx").then((page) => ({ default: page.AuditPage })));
const LoginPage = lazy(() => import("./login/login_page.tsx").then((page) => ({ default: page.LoginPage })));

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
              <Route path="/alerts" element={<AlertsPage />} />
              <Route path="/alerts/:id" element={<AlertPage />} />
              <Route path="/events" element={<EventsPage />} />
              <Route path="/rules" element={<RulesPage />} />
              <Route path="/sources" element={<SourcesPage />} />
              <Route path="/sources/:name" element={<SourcePage />} />
              <Route path="/quality" element={<QualityPage />} />
              <Route path="/enrichment" element={<EnrichmentPage />} />
              <Route path="/pipelines" element={<PipelinesPage />} />
              <Route path="/sinks" element={<SinksPage />} />
              <Route path="/metrics" element={<MetricsPage />} />
              <Route path="/audit" element={<AuditPage />} />
              <Route path="*" element={<NotFound />} />
            </Route>
          </Routes>
        </BrowserRouter>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
