/** What AWS API calls mean in ECS, by service and verb. Knows no other part of a CloudTrail record. */

export interface CallMeaning {
  readonly category: readonly string[];
  readonly type: readonly string[];
}

const authentication: readonly string[] = ["authentication"];
const iam: readonly string[] = ["iam"];
const network: readonly string[] = ["network", "configuration"];
const database: readonly string[] = ["database"];
const file: readonly string[] = ["file"];
const configuration: readonly string[] = ["configuration"];

/** By the first label of `eventSource`; other services are configuration. */
const services: ReadonlyMap<string, readonly string[]> = new Map([
  ...[
    "iam",
    "organizations",
    "sso",
    "sso-directory",
    "identitystore",
    "cognito-idp",
    "cognito-identity",
    "secretsmanager",
    "kms",
    "rolesanywhere",
    "access-analyzer",
  ].map((name): [string, readonly string[]] => [name, iam]),
  ...["dynamodb", "rds", "redshift", "docdb-elastic", "neptune-graph", "timestream"].map((name): [string, readonly string[]] => [
    name,
    database,
  ]),
]);
/** Calls by which someone proves who they are, or takes another role. */
const logons: ReadonlySet<string> = new Set([
  "ConsoleLogin",
  "CheckMfa",
  "SwitchRole",
  "GetSigninToken",
  "CredentialChallenge",
  "CredentialVerification",
  "UserAuthentication",
  "AssumeRole",
  "AssumeRoleWithSAML",
  "AssumeRoleWithWebIdentity",
  "AssumeRoot",
  "GetFederationToken",
  "GetSessionToken",
]);
const networkCalls = /(?:SecurityGroup|NetworkAcl|RouteTable|Route$|Vpc|Subnet|InternetGateway|NetworkInterface|Address(?:es)?$)/;
const objectCalls = /Objects?(?:$|Acl|Tagging|Version)/;

const verbs: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^(?:Create|Run|Register|Import|Allocate|Issue|Launch|Add)/, ["creation"]],
  [/^(?:Delete|Terminate|Remove|Deregister|Release|Purge|Revoke|Schedule\w{0,32}Deletion)/, ["deletion"]],
  [/^(?:Get|List|Describe|Head|Lookup|Search|Select|Query|Scan|Batch(?:Get|Check)|Test|Validate|Decode|Simulate|Check)/, ["access"]],
];
const change: readonly string[] = ["change"];
const start: readonly string[] = ["start"];
const userChange: readonly string[] = ["user", "change"];

/** Distinct calls remembered; AWS has about 15,000. */
const maxCalls = 16_384;
const known = new Map<string, CallMeaning>();

/** The meaning of a call such as `s3.amazonaws.com`, `PutObject`. */
export function meaningOfCall(source: string, name: string): CallMeaning {
  const key = `${source}\0${name}`;
  let meaning = known.get(key);
  if (meaning === undefined) {
    meaning = find(source.slice(0, Math.max(source.indexOf("."), 0)), name.slice(0, 128));
    if (known.size < maxCalls && key.length < 256) known.set(key, meaning);
  }
  return meaning;
}

function find(service: string, name: string): CallMeaning {
  if (logons.has(name)) return { category: authentication, type: start };
  const type = verbs.find(([pattern]) => pattern.test(name))?.[1] ?? change;
  if (service === "s3" && objectCalls.test(name)) return { category: file, type };
  if (service === "ec2" && networkCalls.test(name)) return { category: network, type };
  const category = services.get(service) ?? configuration;
  return { category, type: category === iam && type === change && name.includes("User") ? userChange : type };
}
