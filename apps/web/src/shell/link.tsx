/** A link inside the console that keeps the time zone in use. */
import type { ReactNode } from "react";
import { Link, useLocation } from "react-router";
import { keepZone } from "../url/search.ts";

export interface InnerLinkProps {
  readonly to: string;
  readonly children: ReactNode;
  readonly className?: string;
  readonly title?: string;
}

export function InnerLink({ to, children, ...rest }: InnerLinkProps) {
  const { search } = useLocation();
  return (
    <Link to={keepZone(to, search)} {...rest}>
      {children}
    </Link>
  );
}
