// Betters forms that work without it: parts of a page that follow what is typed, line numbers, keys, and a question before
// unsaved work is left.
"use strict";

const FOLLOW_AFTER_MS = 400;

// A form that says `data-part` sends itself when somebody stops typing, and puts what comes back where the page says
// `data-pane` of the same name. It is what its button would bring, without loading the page.
for (const form of document.querySelectorAll("form[data-part]")) {
  const pane = document.querySelector(`[data-pane="${form.dataset.part}"]`);
  let timer = 0;
  let running = null;
  const follow = async () => {
    running?.abort();
    running = new AbortController();
    const fields = new URLSearchParams(new FormData(form));
    fields.set("part", form.dataset.part);
    fields.set("act", form.dataset.act || "check");
    try {
      const answer = await fetch(form.action, { method: "POST", body: fields, signal: running.signal, redirect: "error" });
      if (!answer.ok) return;
      pane.innerHTML = await answer.text();
      form.dispatchEvent(new CustomEvent("followed"));
    } catch {
      // Somebody typed on, or the server is gone: saving will say so.
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(follow, FOLLOW_AFTER_MS);
  });

  let isSent = false;
  let isChanged = form.querySelector("[data-unsaved]") !== null;
  form.addEventListener("input", () => (isChanged = true));
  form.addEventListener("submit", () => (isSent = true));
  window.addEventListener("pageshow", () => (isSent = false));
  window.addEventListener("beforeunload", (event) => {
    if (isChanged && !isSent) event.preventDefault();
  });
  form.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-save]"));
    }
  });
}

// Line numbers, and those of the problems marked.
for (const area of document.querySelectorAll("textarea[data-lines]")) {
  const gutter = document.createElement("div");
  gutter.className = "gutter";
  gutter.setAttribute("aria-hidden", "true");
  area.before(gutter);
  const number = () => {
    const count = area.value.split("\n").length;
    const marks = new Map();
    for (const problem of document.querySelectorAll(".problems [data-line]")) {
      const line = Number(problem.dataset.line);
      if (marks.get(line) !== "bad") marks.set(line, problem.classList.contains("bad") ? "bad" : "wait");
    }
    const rows = [];
    for (let line = 1; line <= count; line += 1) {
      const row = document.createElement("div");
      row.textContent = String(line);
      if (marks.has(line)) row.className = marks.get(line);
      rows.push(row);
    }
    gutter.replaceChildren(...rows);
    level();
  };
  const level = () => {
    gutter.style.height = `${area.clientHeight}px`;
    gutter.scrollTop = area.scrollTop;
  };
  area.addEventListener("input", number);
  area.addEventListener("scroll", level);
  new ResizeObserver(level).observe(area);
  area.form?.addEventListener("followed", number);
  number();

  // Tab indents, so Esc lets the keyboard out.
  let isLeaving = false;
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      isLeaving = true;
    } else if (event.key === "Tab" && !event.shiftKey && !isLeaving) {
      event.preventDefault();
      document.execCommand("insertText", false, "  ");
    } else if (event.key !== "Shift") {
      isLeaving = false;
    }
  });
  area.addEventListener("focus", () => (isLeaving = false));
}

// A problem leads to its place.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-go]");
  const area = document.querySelector("textarea[data-lines]");
  if (!link || !area) return;
  event.preventDefault();
  const [line, column] = link.dataset.go.split(":").map(Number);
  const before = area.value.split("\n").slice(0, line - 1);
  const at = before.reduce((sum, text) => sum + text.length + 1, 0) + column - 1;
  area.focus();
  area.setSelectionRange(at, at);
  area.scrollTop = Math.max(0, (line - 5) * (area.scrollHeight / area.value.split("\n").length));
});

// A column's chip puts the column where the caret was last.
let lastField = null;
document.addEventListener("focusin", (event) => {
  if (event.target.matches("textarea[data-complete], input[data-complete]")) lastField = event.target;
});
document.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-insert]");
  if (!chip || !lastField?.isConnected) return;
  lastField.focus();
  document.execCommand("insertText", false, chip.dataset.insert);
});
