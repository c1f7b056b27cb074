/** Says that demo data is in the store, and takes it out again. */
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import type { Status } from "../api/types.ts";
import { formatCount } from "../format/number.ts";
import { Only } from "../shell/allowed.tsx";
import { announce } from "../shell/announce.tsx";
import { Icon } from "../shell/icons.tsx";

export function DemoBanner({ demo }: { readonly demo: Status["demo"] }) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api.delete("/demo"),
    onSuccess: () => {
      announce("Demo data removed");
      return client.invalidateQueries();
    },
  });
  if (!demo.present && !demo.running) return null;
  return (
    <div className="notice notice-info">
      <Icon name={demo.running ? "play" : "info"} />
      <div className="notice-text">
        <strong>{demo.running ? "Demo data is replaying" : "Demo data is present"}</strong>
        <span className="dim">
          {" "}
          {formatCount(demo.events)} events of a bundled attack scenario went through the real ingest path. Alerts from it are marked
          “demo”.
        </span>
        {remove.error !== null && <p className="strong-bad">It could not be removed: {remove.error.message}</p>}
      </div>
      <Only needs="system:write">
        <Button size="xs" variant="default" loading={remove.isPending} onClick={() => remove.mutate()}>
          Remove demo data
        </Button>
      </Only>
    </div>
  );
}
