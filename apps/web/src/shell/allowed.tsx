/** Shows a page, or a part of one, to those who may use it. The server alone decides; this spares people its refusals. */
import type { ReactNode } from "react";
import { useMay } from "../api/session.ts";
import { InnerLink } from "./link.tsx";
import { Empty } from "./states.tsx";

export interface NeedsProps {
  /** A permission, as the server names it. */
  readonly needs: string;
  /** It cannot be cut to some rows or fields. */
  readonly whole?: boolean;
  readonly children: ReactNode;
}

/** Nothing, for those who may not. */
export function Only({ needs, whole, children }: NeedsProps) {
  return useMay(needs, whole) && children;
}

/** A page; others are told what they lack and where to turn. */
export function Allowed({ needs, whole, children }: NeedsProps) {
  if (useMay(needs, whole)) return children;
  return (
    <Empty icon="lock" title="This page is not for you">
      <p>
        It needs the permission <code>{needs}</code>
        {whole ? " without limits to rows or fields" : ""}, which none of your roles gives. Whoever administers Vedette can change that.
      </p>
      <p>
        <InnerLink to="/">Go to Now</InnerLink> or see <InnerLink to="/profile">what you may</InnerLink>.
      </p>
    </Empty>
  );
}
