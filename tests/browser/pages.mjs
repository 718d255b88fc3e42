/** The page is looked at as somebody opens it who was sent it: served, it is in a sandbox. */
export const AS_A_FILE = "as a file";

// Every page, one line each: its name, its address, what it must show. `$novel` is a finished
// novel, `$hostile` one whose texts try to be markup, `$run` a run with rejects and a report,
// `$never` one whose two sides were never compared.
export const PAGES = [
  ["library", "/ui/novels", "Library"],
  ["library-nothing", "/ui/novels?q=no+such+words", "No novel matches."],
  ["novel", "/ui/novels/$novel", "Story bible"],
  ["novel-hostile", "/ui/novels/$hostile", "<script>"],
  ["chapter", "/ui/novels/$novel/chapters/1", "Contents"],
  ["library-edited", "/ui/novels?mark=edited&mark=mapping-warnings", "With mapping warnings"],
  ["library-narrowed", "/ui/novels?mark=critical&created=2025", "Only novels created in 2025"],
  ["origin", "/ui/novels/$novel/origin", "Origin of"],
  ["origin-hostile", "/ui/novels/$hostile/origin", "<script>"],
  ["monitoring", "/ui/monitoring", "Cost by stage"],
  ["runs", "/ui/runs", "documents read"],
  ["run", "/ui/runs/$run", "What was run"],
  ["run-rejects", "/ui/runs/$run/rejects", "unknown-status"],
  ["run-reject", "/ui/runs/$run/rejects/0", "unknown-status"],
  ["report", "/ui/runs/$run/files/report.html", "What was run", AS_A_FILE],
  ["parity", "/ui/parity", "Cost and tokens, three ways"],
  ["parity-never", "/ui/parity/$never", "Nobody compared the two sides"],
  ["not-found", "/ui/novels/nope", "Not found"],
  ["login", "/login", "Token of this server"],
];

// The same of a server with two sides, whose answers are compared.
export const PAGES_OF_TWO_SIDES = [["parity-shadow", "/ui/parity", "agree"]];

// The four ways in which each is looked at.
export const WAYS = [
  { name: "wide", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { name: "wide-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { name: "phone", viewport: { width: 360, height: 740 }, colorScheme: "light", isMobile: true },
  { name: "phone-dark", viewport: { width: 360, height: 740 }, colorScheme: "dark", isMobile: true },
];
