/** Tells whoever sent a canary what other processes saw of it. What gets lost on the way is no verdict. Knows no rule. */
import { maxNotice, type Notices } from "@vedette/cluster";
import type { CanaryTrace } from "../analysis.ts";
import type { Prover } from "./prover.ts";

const topic = "canaries";
type News = { readonly trace: CanaryTrace } | { readonly nonce: string; readonly rule?: string };

/** To all processes, this one included. */
export class CanaryNews {
  readonly #notices: Notices;

  constructor(notices: Notices) {
    this.#notices = notices;
  }

  analysed(trace: CanaryTrace): void {
    const news = bytesOf({ trace });
    const cut = { ...trace, events: [], dropped: "its events are too long to be told of" };
    this.#notices.publish(topic, news.length <= maxNotice ? news : bytesOf({ trace: cut }));
  }
  triaged(nonce: string, rule: string | undefined): void {
    this.#notices.publish(topic, bytesOf({ nonce, ...(rule !== undefined && { rule }) }));
  }

  /** @returns how to end it */
  follow(prover: Pick<Prover, "analysed" | "triaged" | "unsure">): Promise<() => void> {
    return this.#notices.subscribe(topic, {
      notice: (bytes) => {
        const news = JSON.parse(Buffer.from(bytes).toString()) as News;
        if ("trace" in news) prover.analysed(news.trace);
        else prover.triaged(news.nonce, news.rule);
      },
      missed: () => prover.unsure(),
    });
  }
}

const bytesOf = (news: News): Uint8Array => Buffer.from(JSON.stringify(news));
