// Every page, one line each: its name, its address, what it must show. `$novel` is a finished
// novel, `$hostile` one whose texts try to be markup.
export const PAGES = [
  ["library", "/ui/novels", "Library"],
  ["library-nothing", "/ui/novels?q=no+such+words", "No novel matches."],
  ["novel", "/ui/novels/$novel", "Story bible"],
  ["novel-hostile", "/ui/novels/$hostile", "<script>"],
  ["chapter", "/ui/novels/$novel/chapters/1", "Contents"],
  ["not-found", "/ui/novels/nope", "Not found"],
  ["login", "/login", "Token of this server"],
];

// The four ways in which each is looked at.
export const WAYS = [
  { name: "wide", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { name: "wide-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { name: "phone", viewport: { width: 360, height: 740 }, colorScheme: "light", isMobile: true },
  { name: "phone-dark", viewport: { width: 360, height: 740 }, colorScheme: "dark", isMobile: true },
];
