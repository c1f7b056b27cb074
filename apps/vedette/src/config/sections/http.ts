/** Keys of what answers over HTTP: address, TLS, API, and who signs in by what. Knows no people. */
import { grantsSchema, roleSchema } from "@vedette/access";
import { z } from "zod";

const oidc = z.strictObject({
  issuer: z.url({ protocol: /^https?$/ }).describe("The provider, as its discovery document names it."),
  client_id: z.string().min(1).describe("What the provider calls this installation."),
  client_secret: z
    .string()
    .min(1)
    .optional()
    .describe("Best by the environment: VEDETTE__ACCESS__OIDC__CLIENT_SECRET. A public client has none."),
  label: z.string().min(1).max(60).default("Single sign-on").describe("What the button of the sign-in page says."),
  scopes: z
    .array(z.string().min(1))
    .default(["openid", "profile", "email"])
    .describe("What is asked for; some providers tell groups by a scope of their own."),
  name_claim: z.string().min(1).default("preferred_username").describe("Claim that is somebody's name here."),
  groups_claim: z.string().min(1).default("groups").describe("Claim that lists somebody's groups."),
  groups: z
    .record(z.string(), grantsSchema)
    .default({})
    .describe("GROUP: [{role: …, rows: …, masks: […]}]; who is in none of them is not let in. Empty: people get their roles here."),
  private_addresses: z.boolean().default(false).describe("Whether the provider may be at a private address of this site, or on this host."),
});

export const tls = z
  .strictObject({
    certificate: z.string().min(1).describe("File of the certificate and those that signed it, PEM."),
    key: z.string().min(1).describe("File of its private key, PEM; best readable by this user only."),
    min_version: z
      .enum(["TLSv1.2", "TLSv1.3"])
      .default("TLSv1.3")
      .describe("Older clients are refused; TLSv1.2 is for collectors that cannot do better."),
  })
  .optional()
  .describe("TLS of console, API and ingest; without it they speak plain HTTP, on loopback.");

export const api = z
  .strictObject({
    prefix: z.string().startsWith("/").default("/api/v1").describe("Path of the API. Environment: API_V1_STR."),
    requests_per_minute: z
      .int()
      .min(60)
      .default(6_000)
      .describe("Requests of one principal, half of them at once; an address without one has a tenth. Ingest is not counted."),
  })
  .prefault({})
  .describe("HTTP API.");

export const auth = z
  .strictObject({
    secret_key: z
      .string()
      .min(16)
      .optional()
      .describe("Key that everything at rest is sealed by; environment SECRET_KEY. Never write it into a file that is shared."),
    secret_key_file: z
      .string()
      .min(1)
      .optional()
      .describe("File of such keys, one a line, newest first: the newest seals, all of them open. Environment: VEDETTE_SECRET_KEY_FILE."),
    key_command: z
      .array(z.string().min(1))
      .default([])
      .describe("Program and arguments that prints keys in the same way, such as a client of a key service; no shell reads it."),
    algorithm: z.enum(["HS256", "EdDSA"]).default("HS256").describe("Signature of access tokens. Environment: ALGORITHM."),
    access_token_expire_minutes: z
      .int()
      .positive()
      .default(30)
      .describe("Life of an access token, in minutes. Environment: ACCESS_TOKEN_EXPIRE_MINUTES."),
  })
  .prefault({})
  .describe("Authentication.");

export const access = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, normalize: true })
      .transform((url) => url.replace(/\/$/, ""))
      .optional()
      .describe(
        "Where people reach console and API from outside, e.g. https://vedette.example.org; issuer of access tokens, and where an OpenID provider sends people back to.",
      ),
    idle_minutes: z.int().min(1).max(1_440).default(60).describe("A browser's session that nobody uses ends after so long, in minutes."),
    session_hours: z.int().min(1).max(720).default(24).describe("Any browser's session ends after so long, in hours."),
    refresh_days: z
      .int()
      .min(1)
      .max(90)
      .default(7)
      .describe("A program that was signed in by name must sign in anew after so long, in days."),
    totp_required: z.array(roleSchema).default([]).describe("Who has one of these roles sets up one-time codes before anything else."),
    oidc: oidc.optional().describe("Signing in by an OpenID provider."),
    breached_passwords: z
      .string()
      .min(1)
      .optional()
      .describe(
        "File of leaked passwords as the downloader of haveibeenpwned.com writes it: SHA-1:count, one a line, sorted; none of them is taken.",
      ),
  })
  .prefault({})
  .describe("People: how long they stay signed in, and what they sign in with.");

export const machines = z
  .strictObject({
    listen: z
      .string()
      .optional()
      .describe("HOST:PORT where machines come in with certificates, over TLS 1.3; nowhere when absent. E.g. 0.0.0.0:8443."),
    trust_domain: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,252}$/, "expected a lower case name such as cluster.example.org")
      .default("vedette.internal")
      .describe("SPIFFE trust domain of the certificates; it stays as it was when the authority was made."),
    hosts: z
      .array(z.string().min(1).max(253))
      .default([])
      .describe("Names and addresses by which machines reach this server, besides its own host name and loopback."),
    certificate_hours: z.number().min(0.1).max(24).default(24).describe("Life of a machine's certificate, in hours."),
  })
  .prefault({})
  .describe("Machines: processes and agents known by certificates.");
