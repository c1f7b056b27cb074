import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase64, shorten, visiblePieces, visibleText } from "./text.ts";

describe("visibleText", () => {
  it("shows what turns text around, hides in it or controls a terminal", () => {
    expect(visibleText("invoice\u202egpj.exe")).toBe("invoice⟨202E⟩gpj.exe");
    expect(visibleText("a\u200bb\u0007\u001b[31m\u007f")).toBe("a⟨200B⟩b⟨BEL⟩⟨ESC⟩[31m⟨DEL⟩");
    expect(visibleText("line\nnext\ttab")).toBe("line⏎next⇥tab");
    expect(visibleText("tag\u{e0041}")).toBe("tag⟨E0041⟩");
  });

  it("keeps newlines and tabs where lines are shown", () => {
    expect(visiblePieces("a\n\tb\u0000", true).map((piece) => piece.text)).toEqual(["a\n\tb", "⟨NUL⟩"]);
  });

  it("leaves no hidden character in any text, and loses nothing visible", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const shown = visibleText(text);
        expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/);
        const plain = visiblePieces(text).filter((piece) => piece.hidden === undefined);
        for (const piece of plain) expect(text).toContain(piece.text);
      }),
    );
  });
});

describe("shorten", () => {
  it("cuts and says so, never inside a pair", () => {
    expect(shorten("abcdef", 6)).toBe("abcdef");
    expect(shorten("abcdef", 3)).toBe("abc…");
    expect(shorten("ab😀cd", 3)).toBe("ab…");
  });
});

describe("decodeBase64", () => {
  it("reads UTF-8, marks what is not, and refuses what is not base64", () => {
    expect(decodeBase64("w6Q=")).toEqual({ text: "ä", bytes: 2 });
    expect(decodeBase64("/w==")).toEqual({ text: "\ufffd", bytes: 1 });
    expect(decodeBase64("!!")).toBeUndefined();
  });
});
