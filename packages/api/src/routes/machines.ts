/** Machines: tokens to enrol them with, their certificates, what they say of themselves, and taking all of it back. */
import { callerOf } from "@vedette/access";
import { BadInputError } from "@vedette/kit";
import { type Enrolled, healths, idOfMachine, type MachineLine, machineNameSchema } from "@vedette/machines";
import { z } from "zod";
import { refuseIfTooMany } from "../guard.ts";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

const report = z.object({
  at: z.string(),
  until: z.string().describe("Until then it holds; afterwards the machine is stale."),
  address: z.string().optional(),
  version: z.string().optional(),
  roles: z.array(z.string()).readonly().optional().describe("What it does for others, such as ingest, analyse, triage and serve."),
  health: z.enum(healths),
  detail: z.string().optional(),
});
const line = z.object({
  id: z.string().describe("ROLE:NAME."),
  role: z.string(),
  name: z.string(),
  state: z
    .enum(["active", "silent", "stale", "expired", "revoked"])
    .describe("silent: has said nothing of itself; stale: what it said no longer holds; expired: did not renew its certificate."),
  created: z.string(),
  expires: z.string().optional().describe("End of its newest certificate; a role of the server's own process has none."),
  report: report.optional().describe("What it said last of itself."),
  revoked: z.object({ at: z.string(), reason: z.string() }).optional(),
});
const enrolled = z.object({
  id: z.string().describe("ROLE:NAME."),
  role: z.string(),
  name: z.string(),
  certificate: z.string().describe("PEM."),
  authority: z.string().describe("The authority's certificate, PEM: servers and machines are known by it."),
  expires: z.string(),
  renew_after: z.string().describe("Half of its life: from then on it is to be renewed."),
});
/** A request of OpenSSL with an RSA key, which is refused in words, is half as long. */
const request = z.string().min(1).max(16_384).describe("Certificate request (PKCS #10), PEM, with a key of ECDSA P-256 or Ed25519.");
const machineId = z.strictObject({ id: z.string().max(170) });
const text = (most: number) => z.string().trim().min(1).max(most);

const shownLine = ({ created, expires, report: said, revoked, ...rest }: MachineLine) => ({
  ...rest,
  created: formatTime(created),
  ...(expires !== undefined && { expires: formatTime(expires) }),
  ...(said && { report: { ...said, at: formatTime(said.at), until: formatTime(said.until) } }),
  ...(revoked && { revoked: { ...revoked, at: formatTime(revoked.at) } }),
});
const shownEnrolled = ({ expires, renew_after, ...rest }: Enrolled) => ({
  ...rest,
  expires: formatTime(expires),
  renew_after: formatTime(renew_after),
});

export function machineRoutes(app: App, context: RouteContext): void {
  if (context.options.machines === undefined) return;
  adminRoutes(app, context);
  ownRoutes(app, context);
}

/** What people do with machines, and where machines find one another. */
function adminRoutes(app: App, { options }: RouteContext): void {
  const { register, listener } = options.machines!;
  app.route({
    method: "GET",
    url: "/machines",
    config: { permission: "machines:read" },
    schema: {
      summary: "Machines and roles: where they are, how they are, how long their certificates last.",
      tags: ["machines"],
      response: { 200: z.object({ machines: z.array(line) }), ...failures },
    },
    handler: async () => ({ machines: register.list().map(shownLine) }),
  });
  app.route({
    method: "GET",
    url: "/machines/authority",
    config: { permission: "machines:read" },
    schema: {
      summary: "The authority that signs machines' certificates, and the list of those it took back, for whoever else checks them.",
      tags: ["machines"],
      response: {
        200: z.object({
          trust_domain: z.string(),
          certificate: z.string().describe("PEM."),
          fingerprint: z.string().describe("SHA-256 of the certificate, base64url."),
          revocation_list: z.string().describe("PEM (RFC 5280), valid for an hour."),
          listening: z.string().optional().describe("Where machines are served, if they are."),
        }),
        ...failures,
      },
    },
    handler: async () => {
      const { trustDomain, certificate, fingerprint } = register.authority;
      return {
        trust_domain: trustDomain,
        certificate,
        fingerprint,
        revocation_list: register.authority.revocationList(register.revoked()),
        ...(listener && { listening: listener.url }),
      };
    },
  });
  app.route({
    method: "POST",
    url: "/machines/tokens",
    config: { permission: "machines:write", audit: { action: "machine_token_created", shows: ["role", "name"] } },
    schema: {
      summary:
        "Make a token that one machine of this role and name may enrol with, once, within the hour; the answer shows it for the only time.",
      tags: ["machines"],
      body: machineNameSchema,
      response: { 201: z.object({ id: z.string(), token: z.string(), expires: z.string() }), ...failures, 409: schemas.problem },
    },
    handler: async ({ body, principal }, reply) => {
      const { token, expires } = await register.token(body, callerOf(principal));
      return reply
        .code(201)
        .header("cache-control", "no-store")
        .send({ id: idOfMachine(body), token, expires: formatTime(expires) });
    },
  });
  app.route({
    method: "DELETE",
    url: "/machines/:id",
    config: { permission: "machines:write", audit: { action: "machine_revoked", id: "vedette.audit.machine" } },
    schema: {
      summary: "Take back a machine's certificates, and tokens for it that are still open, at once.",
      tags: ["machines"],
      params: machineId,
      querystring: z.strictObject({ reason: text(500).default("not said").describe("Why; kept in the audit trail.") }),
      response: { 200: z.object({ revoked: z.number().describe("Certificates and tokens.") }), ...failures, 404: schemas.problem },
    },
    handler: async (asked) => {
      asked.auditFields = { ...asked.auditFields, "vedette.audit.reason": asked.query.reason };
      return { revoked: await register.revoke(asked.params.id, asked.query.reason) };
    },
  });
}

/** What a machine does for itself. */
function ownRoutes(app: App, { options, counters }: RouteContext): void {
  const { register, listener } = options.machines!;
  app.route({
    method: "POST",
    url: "/machines/enrol",
    config: { access: "enrol", audit: { action: "machine_enrolled" } },
    schema: {
      summary: "Use an enrolment token up: a certificate for the key of the request. What the machine had before is revoked.",
      tags: ["machines"],
      body: z.strictObject({ token: z.string().min(1).max(200), request }),
      response: { 201: enrolled, ...failures },
    },
    handler: async (asked, reply) => {
      const id = register.machineOf(asked.body.token);
      if (id !== undefined) asked.auditFields = { ...asked.auditFields, "vedette.audit.machine": id };
      try {
        return reply.code(201).send(shownEnrolled(await register.enrol(asked.body.token, asked.body.request)));
      } catch (e) {
        if (e instanceof BadInputError && e.code === "unauthorised") await refuseIfTooMany(counters, asked, reply);
        throw e;
      }
    },
  });
  app.route({
    method: "POST",
    url: "/machines/renew",
    config: { access: "machine", audit: { action: "machine_renewed" } },
    schema: {
      summary: "Another certificate for the machine whose certificate the connection came with.",
      tags: ["machines"],
      body: z.strictObject({ request }),
      response: { 201: enrolled, ...failures, 409: schemas.problem },
    },
    handler: async (asked, reply) => {
      const peer = listener?.peerOf(asked.raw.socket);
      if (peer === undefined) throw new ApiProblem(403, "forbidden", "a connection with a machine's certificate is needed");
      return reply.code(201).send(shownEnrolled(await register.renew(peer.serial, asked.body.request)));
    },
  });
  app.route({
    method: "PUT",
    url: "/machines/self",
    config: { access: "machine", audit: false },
    schema: {
      summary: "Say where this machine is and how it is; others find it by that until `ttl_s` is over.",
      tags: ["machines"],
      body: z.strictObject({
        health: z.enum(healths),
        address: text(300).optional().describe("Where others reach it, such as https://node17:9000."),
        version: text(100).optional(),
        detail: text(500).optional().describe("What is wrong, for people."),
        ttl_s: z.int().min(10).max(86_400).default(90).describe("Seconds for which it holds; three times as long as the next one takes."),
      }),
      response: { 200: line, ...failures },
    },
    handler: async ({ principal, body: { health, address, version, detail, ttl_s } }) => {
      if (principal?.kind !== "machine") throw new ApiProblem(403, "forbidden", "a machine's certificate is needed");
      const said = { health, ttl_s, ...(address && { address }), ...(version && { version }), ...(detail && { detail }) };
      return shownLine(await register.report(principal.id, said));
    },
  });
}
