// Everything works without this file. It adds two things: copying with one press, and switching the
// theme without loading the page anew.
"use strict";

document.documentElement.classList.add("js");

const COPIED_SHOWN_MS = 1600;

async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Pages are often opened as plain http on an address that is no secure context.
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("readonly", "");
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the browser refused to copy");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  try {
    await copy(button.dataset.copy);
  } catch {
    return;
  }
  button.classList.add("copied");
  document.getElementById("said").textContent = "Copied";
  setTimeout(() => {
    button.classList.remove("copied");
    document.getElementById("said").textContent = "";
  }, COPIED_SHOWN_MS);
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form.theme");
  if (!form || !event.submitter) return;
  event.preventDefault();
  const theme = event.submitter.value;
  document.documentElement.dataset.theme = theme;
  for (const button of form.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
  // The server remembers it too, so that the next page comes in the right dress from the first byte.
  fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, event.submitter)), redirect: "manual" }).catch(() => {});
});
