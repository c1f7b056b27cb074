/** The topics of the log on Kafka: made as they have to be, and refused where they are otherwise. Writes no message. */
import { type KafkaAdmin, type KafkaConnection, kafkaCode, kafkaError, reasonOf } from "@vedette/kafka";
import { type Clock, VedetteError } from "@vedette/kit";
import type { Topic } from "../log.ts";
import { topics } from "../segments.ts";

/** `positions` holds snapshots of what the ledger of a partition comes to: kept is the newest of each. */
export type StoredTopic = Topic | "positions";

export interface Layout {
  /** Names begin with it and a dot. */
  readonly prefix: string;
  readonly partitions: { readonly [topic in Topic]: number };
  /** Copies of each partition; without it three, or as many as there are brokers. */
  readonly replicas: number | undefined;
}

export const topicName = ({ prefix }: Layout, topic: StoredTopic) => `${prefix}.${topic}`;

/** The log's cap on a batch, what it says beside (frame.ts), and Kafka's own words around it. */
export const messageBytes = 18 << 20;
/** With three copies two have to be written: then one broker may fail and nothing accepted is lost. */
const enoughReplicas = 3;
/** Half a minute: brokers tell one another within a second, a loaded machine takes longer. */
const [visibleTries, visibleEvery_ms] = [150, 200];
/** Kafka deletes whole files: what was dropped leaves the disk in pieces of this size. */
const fileBytes: { readonly [topic in StoredTopic]: number } = {
  raw: 64 << 20,
  control: 64 << 20,
  observations: 16 << 20,
  findings: 64 << 20,
  dead: 64 << 20,
  positions: 16 << 20,
};
/** The code of topics among Kafka's kinds of settings. */
const topicResource = 2;

const wanted: readonly StoredTopic[] = [...topics, "positions"];
/** Those with the same settings are made together. */
const kinds: readonly (readonly StoredTopic[])[] = [["raw", "control", "findings", "dead"], ["observations"], ["positions"]];

interface Setting {
  readonly name: string;
  readonly value: string;
  /** undefined where any value will do. */
  readonly holds?: (value: string) => boolean;
}

function settingsOf(topic: StoredTopic, replicas: number): readonly Setting[] {
  const is = (name: string, value: string): Setting => ({ name, value, holds: (found) => found === value });
  const atLeast = (name: string, least: number): Setting => ({ name, value: `${least}`, holds: (found) => Number(found) >= least });
  return [
    is("cleanup.policy", topic === "positions" ? "compact" : "delete"),
    // what may go is said by whoever has read it, never by age
    ...(topic === "positions" ? [] : [is("retention.ms", "-1"), is("retention.bytes", "-1")]),
    atLeast("max.message.bytes", messageBytes),
    atLeast("min.insync.replicas", replicas >= enoughReplicas ? 2 : 1),
    is("unclean.leader.election.enable", "false"),
    { name: "segment.bytes", value: `${fileBytes[topic]}` },
    // two snapshots at the same moment: the older one must not outlive the newer
    ...(topic === "positions" ? [{ name: "min.compaction.lag.ms", value: "3600000" }] : []),
  ];
}

/** Makes what is missing. @throws VedetteError `kafka_refused` naming the fix, `kafka_unavailable` */
export async function ensureTopics(admin: KafkaAdmin, layout: Layout, connection: KafkaConnection, clock: Clock): Promise<void> {
  try {
    const { brokers } = await admin.metadata({ topics: [] });
    const replicas = layout.replicas ?? Math.min(enoughReplicas, brokers.size);
    const there = new Set(await admin.listTopics());
    for (const alike of kinds) {
      const missing = alike.filter((topic) => !there.has(topicName(layout, topic)));
      if (missing.length > 0) await create(admin, layout, missing, replicas);
    }
    await visible(admin, layout, clock);
    await check(admin, layout, wanted);
  } catch (error) {
    throw kafkaError(error, connection, "kafka");
  }
}

/** What there is, and what is missing; makes nothing. @throws as `ensureTopics` */
export async function inspectTopics(admin: KafkaAdmin, layout: Layout, connection: KafkaConnection): Promise<string> {
  try {
    const { brokers } = await admin.metadata({ topics: [] });
    const there = new Set(await admin.listTopics());
    const present = wanted.filter((topic) => there.has(topicName(layout, topic)));
    if (present.length > 0) await check(admin, layout, present);
    const missing = wanted.length - present.length;
    return `Kafka at ${connection.brokers.join(", ")}: ${brokers.size} broker${brokers.size === 1 ? "" : "s"}, ${present.length} of ${wanted.length} topics ${layout.prefix}.*${missing > 0 ? ", the others are made at the start" : ""}`;
  } catch (error) {
    throw kafkaError(error, connection, "kafka");
  }
}

const partitionsOf = ({ partitions }: Layout, topic: StoredTopic) => (topic === "positions" ? 1 : partitions[topic]);

async function create(admin: KafkaAdmin, layout: Layout, alike: readonly StoredTopic[], replicas: number): Promise<void> {
  try {
    await admin.createTopics({
      topics: alike.map((topic) => ({ topic: topicName(layout, topic), partitions: partitionsOf(layout, topic), replicas })),
      configs: settingsOf(alike[0]!, replicas).map(({ name, value }) => ({ name, value })),
    });
  } catch (error) {
    const code = kafkaCode(error);
    // another process of the installation was quicker
    if (code === "TOPIC_ALREADY_EXISTS") return;
    if (code !== "INVALID_REPLICATION_FACTOR") throw error;
    throw refused(`${topicName(layout, alike[0]!)} cannot have ${replicas} copies: fewer brokers run. Set kafka.replicas to less.`);
  }
}

/** A topic that was made is known to every broker a moment later. */
async function visible(admin: KafkaAdmin, layout: Layout, clock: Clock): Promise<void> {
  for (let left = visibleTries; ; left--) {
    try {
      const { topics: found } = await admin.metadata({ topics: wanted.map((topic) => topicName(layout, topic)), forceUpdate: true });
      const led = [...found.values()].every((topic) => topic?.partitions.every(({ leader }) => leader >= 0));
      if (led || left === 0) return;
    } catch (error) {
      if (left === 0 || !reasonOf(error).includes("Unknown topic")) throw error;
    }
    await clock.sleep(visibleEvery_ms);
  }
}

async function check(admin: KafkaAdmin, layout: Layout, present: readonly StoredTopic[]): Promise<void> {
  const names = present.map((topic) => topicName(layout, topic));
  const { topics: found } = await admin.metadata({ topics: names, forceUpdate: true });
  const described = await admin.describeConfigs({
    resources: names.map((resourceName) => ({ resourceType: topicResource, resourceName })),
  });
  const wrong: string[] = [];
  for (const topic of present) {
    const name = topicName(layout, topic);
    const { partitions } = found.get(name)!;
    const count = partitionsOf(layout, topic);
    if (partitions.length !== count) wrong.push(countRefusal(name, topic, partitions.length, count));
    const values = new Map(described.find(({ resourceName }) => resourceName === name)?.configs.map((one) => [one.name, one.value ?? ""]));
    for (const setting of settingsOf(topic, partitions[0]?.replicas.length ?? 1)) {
      const value = values.get(setting.name);
      if (value === undefined || (setting.holds?.(value) ?? true)) continue;
      wrong.push(
        `The topic ${name} has ${setting.name}=${value}: kafka-configs.sh --alter --entity-type topics --entity-name ${name} --add-config ${setting.name}=${setting.value}`,
      );
    }
  }
  if (wrong.length > 0) throw refused(wrong.join("\n"));
}

function countRefusal(name: string, topic: StoredTopic, found: number, wanted: number): string {
  const many = `The topic ${name} has ${found} partition${found === 1 ? "" : "s"}, not ${wanted}`;
  if (found < wanted) return `${many}: kafka-topics.sh --alter --topic ${name} --partitions ${wanted}`;
  if (topic === "raw") return `${many}: set kafka.partitions to ${found}, since what lies in the others would not be read.`;
  return `${many}: another program made it; choose another kafka.topic.`;
}

const refused = (message: string) => new VedetteError("kafka_refused", true, message);
