/** Tells container and pod from the control group a process ran in, where the log names no more. Asks no container runtime. */
import { defineEnricher, z } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { remembered } from "../bounded_cache.ts";
import { give, textOf } from "../give.ts";

interface Place {
  readonly id: string;
  readonly runtime: string | undefined;
  readonly pod: string | undefined;
}
/** A path of the kernel is at most 4,096 bytes. */
const maxPath = 4_096;

/** How runtimes name the scope of a container: `docker-ID.scope`, `cri-containerd-ID.scope`, `crio-ID`, `libpod-ID.scope`. */
const runtimes: readonly (readonly [prefix: string, runtime: string])[] = [
  ["docker-", "docker"],
  ["cri-containerd-", "containerd"],
  ["nerdctl-", "containerd"],
  ["crio-", "cri-o"],
  ["libpod-", "podman"],
  ["lxc.payload.", "lxc"],
];

export default defineEnricher({
  name: "container",
  summary: "Tells container and pod from a process's control group where the log names no more.",
  description:
    "Fills in `container.id`, `container.runtime` and, for pods, `orchestrator.type`, `orchestrator.resource.type` and `orchestrator.resource.id` (the pod's UID). A `container.id` that the log tells stays as it is.",
  stability: "beta",
  config: z.strictObject({}),
  examples: [
    {
      title: "A pod of systemd-managed Kubernetes",
      fields: {
        "process.cgroup":
          "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podb1c3a1f2_0d4e_4f5a_9b6c_7d8e9fa0b1c2.slice/cri-containerd-3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e.scope",
      },
      adds: {
        "container.id": "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e",
        "container.runtime": "containerd",
        "orchestrator.type": "kubernetes",
        "orchestrator.resource.type": "pod",
        "orchestrator.resource.id": "b1c3a1f2-0d4e-4f5a-9b6c-7d8e9fa0b1c2",
      },
    },
    {
      title: "Docker without systemd",
      fields: {
        "tetragon.cgroup": "/docker/3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e",
      },
      adds: {
        "container.id": "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e",
        "container.runtime": "docker",
      },
    },
    { title: "No container at all", fields: { "tetragon.cgroup": "/user.slice/user-1000.slice/session-3.scope" }, adds: {} },
  ],
  enricher() {
    const placeOf = remembered(read);
    return (fields: Fields) => {
      // where formats put a process's control group
      const group = fields["tetragon.cgroup"] ?? fields["process.cgroup"];
      const path = group === undefined ? undefined : textOf(group);
      const place = path === undefined ? undefined : placeOf(path);
      const told = place && textOf(fields["container.id"]);
      // a group of one container must not lend its pod to another
      if (place === undefined || (told !== undefined && !place.id.startsWith(told))) return;
      give(fields, "container.id", place.id);
      give(fields, "container.runtime", place.runtime);
      if (place.pod === undefined) return;
      give(fields, "orchestrator.type", "kubernetes");
      give(fields, "orchestrator.resource.type", "pod");
      give(fields, "orchestrator.resource.id", place.pod);
    };
  },
});

const idOf = /(?:^|[-.])([0-9a-f]{64})(?:\.scope)?$/;
const podOf = /pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})/;

/** The innermost segment that names a container, and the pod of one before it. */
function read(path: string): Place | undefined {
  if (path.length > maxPath) return undefined;
  const segments = path.split("/");
  const last = segments.findLastIndex((one) => idOf.test(one) || one.startsWith("lxc.payload."));
  const segment = segments[last];
  if (segment === undefined) return undefined;
  const id = idOf.exec(segment)?.[1] ?? segment.slice("lxc.payload.".length);
  const runtime = runtimes.find(([prefix]) => segment.startsWith(prefix))?.[1] ?? (segments[last - 1] === "docker" ? "docker" : undefined);
  const pod = segments
    .slice(0, last)
    .reverse()
    .flatMap((one) => podOf.exec(one)?.[1]?.replaceAll("_", "-") ?? [])[0];
  return id === "" ? undefined : { id, runtime, pod };
}
