/** What an erasure takes and what holds keep of it, as tests on events, on evidence and on records of the audit trail. Changes nothing. */
import type { AuditRecord } from "@vedette/audit";
import { type Condition, compile, type Predicate, parseQuery } from "@vedette/condition";
import { auditTenant, BadInputError } from "@vedette/kit";
import type { EvidenceEvent, Micros } from "@vedette/model";
import { decided, type EventHold, type TimeRange } from "@vedette/store";

export interface ErasedQuestion {
  readonly q: string;
  readonly range: TimeRange;
  /** Records of the audit trail that satisfy the question lose their content too. */
  readonly audit: boolean;
}
export interface Erased {
  readonly where: Condition;
  readonly range: TimeRange;
  readonly test: Predicate;
  readonly tenants: readonly string[];
  readonly holds: readonly Holding[];
  readonly ofTrail: (record: AuditRecord) => boolean;
}
interface Holding {
  readonly name: string;
  keeps(event: Parameters<Predicate>[0] & { readonly id: string; readonly time: Micros }): boolean;
  /** Evidence is a part of its event: what it does not tell counts as held. */
  mayKeep(evidence: EvidenceEvent): boolean;
}

function holding(name: string, { ids, range, where }: EventHold): Holding {
  const byId = new Set(ids);
  const test = where && compile(where);
  const within = (time: Micros) => time >= range.from && time < range.to;
  return {
    name,
    keeps: (event) => byId.has(event.id) || (test !== undefined && within(event.time) && test(event)),
    mayKeep: (one) => byId.has(one.id) || (where !== undefined && within(one.time) && decided(where, one) !== false),
  };
}

/** What tells of erasures stays. */
const ofErasure = /^(erasure_|audit_erased)/;

/** @throws BadInputError `bad_request` */
export function erasedBy(
  { q, range, audit }: ErasedQuestion,
  tenant: string,
  holds: readonly { readonly name: string; readonly hold: EventHold }[],
): Erased {
  const read = parseQuery(q);
  if (!read.ok) throw new BadInputError("bad_request", "q: not a filter that can be read");
  const { where } = read.query;
  if (where.op === "and" && where.of.length === 0) throw new BadInputError("bad_request", "q: expected whom or what, not everything");
  const test = compile(where);
  const within = (time: Micros) => time >= range.from && time < range.to;
  return {
    where,
    range,
    test,
    tenants: audit ? [tenant, auditTenant(tenant)] : [tenant],
    holds: holds.map(({ name, hold }) => holding(name, hold)),
    ofTrail: ({ time, fields }) =>
      fields !== undefined && within(time) && !ofErasure.test(String(fields["event.action"])) && test({ fields, time }),
  };
}
