/** The four states every list has: loading, empty by filter, nothing yet, error. */
import { Button } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiError } from "../api/client.ts";
import { Icon, type IconName } from "./icons.tsx";

export function Loading({ what, rows = 6 }: { readonly what: string; readonly rows?: number }) {
  return (
    <div className="state-loading" role="status" aria-label={`Loading ${what}`}>
      {Array.from({ length: rows }, (_, at) => `${at}`).map((key) => (
        <div key={key} className="skeleton" />
      ))}
    </div>
  );
}

export function Empty({
  icon = "info",
  title,
  children,
}: {
  readonly icon?: IconName;
  readonly title: string;
  readonly children?: ReactNode;
}) {
  return (
    <div className="state-box">
      <Icon name={icon} size={28} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Failure({
  error,
  what,
  retry,
}: {
  readonly error: unknown;
  readonly what: string;
  readonly retry?: (() => void) | undefined;
}) {
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div className="state-box state-error" role="alert">
      <Icon name="warning" size={28} />
      <h2>{what} could not be loaded</h2>
      <p>{message}</p>
      {error instanceof ApiError && error.status > 0 && (
        <p className="dim small">
          {error.status} · {error.code}
        </p>
      )}
      {retry !== undefined && (
        <Button size="xs" variant="default" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** What a query gave once it is there; until then that it is loading, or why it failed. */
export function Loaded<T>({
  query,
  what,
  rows = 4,
  children,
}: {
  readonly query: Pick<UseQueryResult<T>, "data" | "error" | "refetch">;
  readonly what: string;
  readonly rows?: number;
  readonly children: (data: T) => ReactNode;
}) {
  const { data, error, refetch } = query;
  if (data !== undefined) return children(data);
  return error ? <Failure error={error} what={what} retry={refetch} /> : <Loading what={what.toLowerCase()} rows={rows} />;
}
