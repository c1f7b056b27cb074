/**
 * Questions of one process to a server or a disk of its own: each takes time, and now and then is refused, lost, or carried out without the
 * process hearing of it. Knows no server.
 */
import { UnavailableError } from "@vedette/kit";
import type { Life } from "./life.ts";
import { ms, second } from "./world.ts";

/** What is wrong with the way to a server, and back. */
export interface WireHealth {
  /** Nothing gets through. */
  cut: boolean;
  /** Of questions, one in so many never arrives; 0 for none. */
  lost: number;
  /** Of answers, one in so many: what was asked has been done. */
  unheard: number;
  /** One in so many takes seconds, and may arrive after whoever asked has given up. */
  slow: number;
}
export const sound = (): WireHealth => ({ cut: false, lost: 0, unheard: 0, slow: 0 });

/** As the drivers do: after so long without an answer, what was asked counts as failed, whatever became of it. */
const patience = 3 * second;

type Ask = <T>(what: string, work: () => Promise<T>) => Promise<T>;

/** @param one a fifth to nine fifths of it is what a way takes, in microseconds */
export function wire(life: Life, name: string, health: WireHealth, one = 0.4 * ms): Ask {
  const { world } = life;
  const { chance } = world;
  const oneIn = (n: number) => n > 0 && chance.happens(1 / n);
  const way = () => one * (0.2 + 1.6 * chance.next()) + (oneIn(health.slow) ? 6 * second * chance.next() : 0);
  return (what, work) =>
    new Promise((resolve, reject) => {
      let open = true;
      const end = (then: () => void) => {
        if (open) life.after(0, then);
        open = false;
      };
      const refused = () => reject(new UnavailableError("store_unavailable", `${name} gave no answer to ${what}`));
      const sent = way();
      const back = way();
      if (health.cut || oneIn(health.lost)) {
        world.tell(`${life.name} ${name}.${what} is lost`);
        life.after(patience, () => end(refused));
        return;
      }
      if (sent + back > patience) life.after(patience, () => end(refused));
      // what is on its way arrives, whatever becomes of who sent it
      world.after(sent, () => {
        world.tell(`${life.name} ${name}.${what}`);
        const unheard = health.cut || oneIn(health.unheard);
        if (unheard) world.tell(`${life.name} does not hear the answer`);
        const answer = (then: () => void) => {
          if (unheard) life.after(patience, () => end(refused));
          else life.after(back, () => end(then));
        };
        work().then(
          (value) => answer(() => resolve(value)),
          (e: unknown) => answer(() => reject(e)),
        );
      });
    });
}

/** The same methods, asked over a wire. @param methods of all that are asked */
export function over<T extends object>(ask: Ask, of: T): T {
  const known = new Map<string, unknown>();
  return new Proxy(of, {
    get(target, name) {
      if (typeof name !== "string" || name === "then") return undefined;
      const method = Reflect.get(target, name) as ((...how: unknown[]) => Promise<unknown>) | undefined;
      if (typeof method !== "function") return method;
      if (!known.has(name)) known.set(name, (...how: unknown[]) => ask(name, async () => method.apply(target, how)));
      return known.get(name);
    },
  });
}
