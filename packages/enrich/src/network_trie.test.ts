import { inNetwork, type Network, parseAddress, parseNetwork } from "@vedette/condition";
import fc from "fast-check";
import { expect, test } from "vitest";
import { NetworkTrie } from "./network_trie.ts";

test("finds the longest network that holds an address, as a look at each would", () => {
  const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([ip, bits]) => `${ip}/${bits}`);
  const v6 = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([ip, bits]) => `${ip}/${bits}`);
  fc.assert(
    fc.property(
      fc.array(fc.oneof(v4, v6), { maxLength: 20 }),
      fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { minLength: 1 }),
      (texts, asked) => {
        const networks = texts.flatMap((text): (Network & { readonly text: string })[] => {
          const network = parseNetwork(text);
          return network === undefined ? [] : [{ ...network, text }];
        });
        const trie = new NetworkTrie<string>();
        for (const network of networks) trie.add(network, network.text);
        for (const text of [...asked, ...texts.map((one) => one.replace(/\/.*/, ""))]) {
          const address = parseAddress(text);
          let best: (typeof networks)[number] | undefined;
          for (const one of networks) if (address && inNetwork(address, one) && (best === undefined || one.bits > best.bits)) best = one;
          expect(trie.find(text)).toBe(best?.text);
        }
      },
    ),
    { numRuns: 300, seed: 11 },
  );
});

test("what is no address is in no network", () => {
  const trie = new NetworkTrie<string>();
  trie.add(parseNetwork("0.0.0.0/0")!, "all");
  expect([trie.find("host"), trie.find(""), trie.find("1.2.3.4")]).toEqual([undefined, undefined, "all"]);
});
