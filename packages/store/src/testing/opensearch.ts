/** Where the OpenSearch of `scripts/services up` answers. Starts none. */
import { service } from "../../../../tests/e2e/services.ts";

export function openSearchUrl(): string | undefined {
  const found = service("opensearch");
  return found && `http://${found.host}:${found.port}`;
}
