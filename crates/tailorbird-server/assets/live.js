// Sections that say `data-live` are replaced as the server sends them anew. Everything works without this file; pages
// are then as they were when they were loaded.
"use strict";

const KEYS = { o: "/", c: "/connections", b: "/databases", t: "/tasks", r: "/runs", d: "/deliveries", a: "/approvals" };
const KEY_PAUSE_MS = 900;

for (const section of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(section.dataset.live);
  source.addEventListener("part", (event) => {
    // What somebody is about to press or has marked does not move away under the hand.
    if (section.contains(document.activeElement) || section.matches(":hover:active")) return;
    if (!getSelection().isCollapsed && section.contains(getSelection().anchorNode)) return;
    section.innerHTML = event.data;
  });
  source.addEventListener("end", () => source.close());
}

let waiting = 0;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  } else if (event.key === "g") {
    waiting = Date.now();
  } else if (Date.now() - waiting < KEY_PAUSE_MS && KEYS[event.key]) {
    location.assign(KEYS[event.key]);
  } else if (event.key === "?") {
    document.getElementById("keys")?.showModal();
  }
});
