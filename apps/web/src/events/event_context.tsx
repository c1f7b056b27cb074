/** What other records say of an opened event, as of its time: who started its process, and whose its addresses were. */
import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import { InnerLink } from "../shell/link.tsx";
import { Hostile } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";
import { linkPart } from "../url/search.ts";

const ask = (id: string, signal?: AbortSignal) => api.get("/events/{id}/context", { path: { id }, ...(signal && { signal }) });
type Context = Awaited<ReturnType<typeof ask>>;
type Process = Context["processes"][number];
type Name = Context["names"][number];

/** Nothing of this event can have a context without one of these. */
const telling = /^(?:process\.(?:entity_id|pid)|(?:source|destination|client|server|host)\.ip)$/;

export function EventContext({ id, fields }: { readonly id: string; readonly fields: readonly string[] }) {
  const { data, error } = useQuery({
    queryKey: ["event-context", id],
    enabled: fields.some((field) => telling.test(field)),
    // what was so then does not change while one reads
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => ask(id, signal),
  });
  if (error !== null) return <p className="dim small">What else is known could not be asked: {error.message}</p>;
  if (data === undefined || (data.processes.length === 0 && data.names.length === 0)) return null;
  return (
    <section className="event-context small" aria-label="Context at that time">
      {data.processes.length > 0 && (
        <>
          <h3>Started by</h3>
          <ol>
            {data.processes.map((process, at) => (
              <ProcessThen key={process.entity_id ?? process.event ?? `${process.pid} ${process.name}`} process={process} own={at === 0} />
            ))}
          </ol>
        </>
      )}
      {data.names.length > 0 && (
        <>
          <h3>Names at that time</h3>
          <ul>
            {data.names.map((name) => (
              <NameThen key={`${name.by} ${name.event} ${name.address}`} name={name} />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function ProcessThen({ process, own }: { readonly process: Process; readonly own: boolean }) {
  const said = process.command_line ?? process.executable ?? process.name ?? process.entity_id ?? "";
  return (
    <li>
      <span className="mono">
        <Hostile text={said} />
      </span>
      {process.pid !== undefined && <span className="dim"> pid {process.pid}</span>}
      {process.user !== undefined && (
        <span className="dim">
          {" by "}
          <Hostile text={process.user} />
        </span>
      )}
      {process.started !== undefined && (
        <span className="dim">
          {" since "}
          <Time iso={process.started} />
        </span>
      )}
      {own && <span className="dim"> · this event's own</span>}
      {process.event !== undefined && <Record id={process.event} />}
    </li>
  );
}

function NameThen({ name }: { readonly name: Name }) {
  return (
    <li>
      <span className="mono">
        <Hostile text={name.address} />
      </span>
      {" was "}
      <b>
        <Hostile text={name.name ?? name.mac ?? "?"} />
      </b>
      <span className="dim">
        {name.by === "dhcp" ? " by a lease of " : " by an answer of "}
        <Time iso={name.at} />
        {name.until !== undefined && (
          <>
            {" until "}
            <Time iso={name.until} />
          </>
        )}
      </span>
      {name.name !== undefined && name.mac !== undefined && (
        <span className="dim">
          {" · "}
          <Hostile text={name.mac} />
        </span>
      )}
      <Record id={name.event} />
    </li>
  );
}

const Record = ({ id }: { readonly id: string }) => (
  <>
    {" "}
    <InnerLink to={`/events?sel=${linkPart(id)}`}>record</InnerLink>
  </>
);
