/** How surprising each character is after another in names that people chose. Made by packages/detect/scripts/dga_model.ts; not edited by hand. */

/** A row per character of `alphabet` and one for the edge of a name; in each a character per successor: (code − 35) / 8 bits. */
export const rows = [
  "iN@Cd_IiInV=E>yH~;@9PSWgRp~~N",
  ":b_]8n]nCH{8_hAn{DCY<nn{Q{{{C",
  "?{La<jn=N~@GYd6]~CS<Len~Q~~~J",
  "DQPI6UW`>neOP]CQ{IB^LaZ~Zq~~3",
  "F]D=QQUdYphGK>cNa:;EeNZM]~~~<",
  "?m]P>Czz3zc@cg;]zFEKDzzzUzzzK",
  "HcR[5[PG?erMMKDQcBDRElc~eh~~6",
  "8WZV3lel=~]bV]9ShHRHMelhT~~~?",
  "SPAFIRIreu]DI2>InLB?lJr[~`~~X",
  "FJhQ.NhhJhhhhQ7h[U?h@hhhhhhhJ",
  "G`V[0ddvAvv]]FVJvW9LFv[v[vvv8",
  "@dZI5[cd:~hAZ_9St]FKI]ddLn~~?",
  "7IXS4a_~;uhYK]@>~XE]Rubk]~~~D",
  "AxC?<S=dF]]V^OIX~]>9UUdl^o~~>",
  "SNHG_VIiUnTAD6GG~;IFBQEZlr~~R",
  ";gUQ:nkQDxxCa^;E~;ICHrb]Q~~~C",
  "Xdddddddddd6dddddXXN(dddddddG",
  ">[LK4[Si?pUXMP>UkQ@EOR`~L~~~?",
  "H]HY:]cEDqUTW[KK^WA:JXUsSs~~4",
  ">[NU7Y_E9qnS]`CU~BALNa]kLq~~;",
  "GFIIDbP~I~~DC:]D~:=;~k~k~`~~[",
  ";`J]*y[y7yylfZRby`QW[ybbbyyyL",
  "=UUM:Y_@;y[OOG=TyD=_bfYbyyyy@",
  "FY@J8]p]HppNG]V:cYR;YccVVppp7",
  "MOMQFf]URxfL[FL:xT;FbbRxxbxx/",
  "Lbbb0bLU8UbbUUALbUEbUbbbb?bb?",
  "JJJJJJJJJJJJJJJJJJJJJJJJJJJJJ",
  "JJJJJJJJJJJJJJJJJJJJJJJJJJJJJ",
  "CH?CFHPLHYXHEJNA`C<DPRIifb~~~",
];
export const alphabet = "abcdefghijklmnopqrstuvwxyz0-";

/** What one in a hundred names exceeds that the model was not made from. */
export const oddFrom = 4.83;
