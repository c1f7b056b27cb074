/** What other records say of an event, as of its time: who started its process, and which names its addresses had. */
import { ancestryThen, namesThen, type Records } from "@vedette/enrich";
import type { Event } from "@vedette/model";
import { z } from "zod";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

const text = z.string();
const time = z.string();
const id = schemas.id.describe("Of the record that says so.");
const processRow = z
  .strictObject({
    entity_id: text.optional(),
    pid: text.optional(),
    name: text.optional(),
    executable: text.optional(),
    command_line: text.optional(),
    user: text.optional(),
    started: time.optional().describe("Absent where the record of its start is not there."),
    event: id.optional(),
  })
  .describe("A process, by what was recorded of it.");
const nameRow = z
  .strictObject({
    address: text,
    name: text.optional().describe("Absent where a lease tells the machine only."),
    by: z.enum(["dhcp", "dns"]).describe("A lease that held then, or an answer of a name server."),
    mac: text.optional(),
    at: time.describe("When the record was made."),
    until: time.optional().describe("When the lease ends, or the answer was to be asked for again."),
    event: id,
  })
  .describe("A name that an address had when the event happened.");

export function eventContextRoute(app: App, { options, tenant, bounded }: RouteContext): void {
  const { events } = options.store;
  app.route({
    method: "GET",
    url: "/events/:id/context",
    config: { permission: "events:read", confined: true },
    schema: {
      summary: "What other events say of one: the ancestors of its process, and the names of its addresses, as of its time.",
      description: "Looked up among the stored events that who asks may see, at most eight days back.",
      tags: ["events"],
      params: z.object({ id: schemas.id }),
      response: {
        200: z.strictObject({
          processes: z.array(processRow).describe("The event's own process first, then who started it, and so on."),
          names: z.array(nameRow),
        }),
        ...failures,
        404: schemas.problem,
        504: schemas.problem,
      },
    },
    handler: async ({ params, view }, reply) => {
      const reach = { tenant, ...(view && { view }) };
      const [event] = await bounded(reply, () => events.get(tenant, [params.id], undefined, view));
      if (event === undefined) throw new ApiProblem(404, "not_found", "there is no such event");
      return bounded(reply, async (signal) => {
        const records: Records = {
          async first({ where, from, to, order }): Promise<Event | undefined> {
            const query = { ...reach, where, range: { from, to: to + 1 }, limit: 1, oldestFirst: order === "oldest" };
            return (await events.search(query, signal)).events[0];
          },
        };
        const processes = await ancestryThen(event, records);
        const names = await namesThen(event, records);
        return {
          processes: processes.map(({ started, ...rest }) => ({ ...rest, ...(started !== undefined && { started: formatTime(started) }) })),
          names: names.map(({ at, until, ...rest }) => ({
            ...rest,
            at: formatTime(at),
            ...(until !== undefined && { until: formatTime(until) }),
          })),
        };
      });
    },
  });
}
