// Offers words while somebody types into a field that says `data-complete`: those of the datalist of that id. A word with
// `data-of` belongs behind its table's name (or alias) and a dot. The field works as well without this file.
"use strict";

const MOST_OFFERED = 12;
const KEYWORDS = ["select", "from", "where", "left join", "join", "group by", "order by", "limit", "and", "or", "not", "null", "is null", "as", "on", "in", "like", "between", "count(*)", "coalesce", "distinct", "case", "when", "then", "else", "end", "desc", "union all", "with"];

// Where the caret stands, in the page: a copy of the field's text up to it, laid out the same way.
function caretPlace(field) {
  const box = field.getBoundingClientRect();
  const look = getComputedStyle(field);
  const copy = document.createElement("div");
  for (const name of ["font", "lineHeight", "padding", "border", "whiteSpace", "overflowWrap", "tabSize", "letterSpacing"]) copy.style[name] = look[name];
  copy.style.position = "absolute";
  copy.style.visibility = "hidden";
  copy.style.width = `${box.width}px`;
  copy.style.whiteSpace = field.wrap === "off" || field.tagName === "INPUT" ? "pre" : "pre-wrap";
  copy.textContent = field.value.slice(0, field.selectionStart);
  const mark = document.createElement("span");
  mark.textContent = "\u200b";
  copy.append(mark);
  document.body.append(copy);
  const place = { left: mark.offsetLeft - field.scrollLeft, top: mark.offsetTop - field.scrollTop + mark.offsetHeight };
  copy.remove();
  return { left: scrollX + box.left + Math.min(place.left, box.width - 40), top: scrollY + box.top + Math.min(place.top, box.height) + 4 };
}

function aliases(text, tables) {
  const named = new Map();
  for (const [, table, alias] of text.matchAll(/\b(?:from|join)\s+"?(\w+)"?(?:\s+(?:as\s+)?(?!on\b|where\b|left\b|join\b|inner\b|group\b|order\b|limit\b)(\w+))?/gi)) {
    if (tables.has(table.toLowerCase())) {
      named.set(table.toLowerCase(), table.toLowerCase());
      if (alias) named.set(alias.toLowerCase(), table.toLowerCase());
    }
  }
  return named;
}

function offers(field) {
  const list = document.getElementById(field.dataset.complete);
  if (!list) return null;
  const before = field.value.slice(0, field.selectionStart);
  const isSql = field.dataset.complete === "words";
  // Elsewhere only what stands between braces is an expression.
  if (!isSql && before.lastIndexOf("{{") <= before.lastIndexOf("}}")) return null;
  const [, table, word] = /(?:"?(\w+)"?\.)?(\w*)$/.exec(before);
  if (!word && !table) return null;
  const words = [...list.options].map((one) => ({ text: one.value, about: one.label, of: (one.dataset.of || "").toLowerCase() }));
  const tables = new Set(words.filter((one) => !one.of).map((one) => one.text.toLowerCase()));
  const named = aliases(field.value, tables);
  let fitting;
  if (table && isSql) {
    const of = named.get(table.toLowerCase()) || table.toLowerCase();
    fitting = words.filter((one) => one.of === of);
  } else {
    const used = new Set(named.values());
    const columns = words.filter((one) => one.of && (used.size === 0 || used.has(one.of)));
    fitting = [...columns, ...words.filter((one) => !one.of)];
    if (isSql) fitting.push(...KEYWORDS.map((text) => ({ text, about: "" })));
    // Behind a bar stands a filter.
    const functions = document.getElementById("functions");
    if (!isSql && functions) {
      const own = [...functions.options].map((one) => ({ text: one.value, about: one.label }));
      fitting = /(\||\bis|\bnot)\s*\w*$/.test(before) ? own : [...fitting, ...own];
    }
  }
  const begun = word.toLowerCase();
  const seen = new Set();
  const found = fitting.filter((one) => {
    const text = one.text.toLowerCase();
    if (text === begun || !text.startsWith(begun) || seen.has(text)) return false;
    seen.add(text);
    return true;
  });
  return found.length ? { found: found.slice(0, MOST_OFFERED), length: word.length } : null;
}

function attach(field) {
  let box = null;
  let chosen = 0;
  let length = 0;
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-expanded", "false");
  const close = () => {
    box?.remove();
    box = null;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
    field.removeAttribute("aria-controls");
  };
  const choose = (place) => {
    chosen = (place + box.children.length) % box.children.length;
    [...box.children].forEach((one, at) => one.setAttribute("aria-selected", String(at === chosen)));
    box.children[chosen].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", box.children[chosen].id);
  };
  const take = () => {
    const text = box.children[chosen].dataset.text;
    close();
    field.setSelectionRange(field.selectionStart - length, field.selectionStart);
    document.execCommand("insertText", false, text);
  };
  const open = () => {
    close();
    const offered = offers(field);
    if (!offered) return;
    length = offered.length;
    box = document.createElement("div");
    box.className = "offers";
    box.id = `${field.id}-offers`;
    box.setAttribute("role", "listbox");
    box.setAttribute("aria-label", "Words that fit");
    offered.found.forEach((one, at) => {
      const row = document.createElement("div");
      row.setAttribute("role", "option");
      row.id = `${box.id}-${at}`;
      row.dataset.text = one.text;
      const about = document.createElement("small");
      about.textContent = one.about;
      row.append(one.text, about);
      row.addEventListener("mousedown", (event) => {
        event.preventDefault();
        chosen = at;
        take();
      });
      box.append(row);
    });
    const { left, top } = caretPlace(field);
    document.body.append(box);
    box.style.left = `${Math.max(8, Math.min(left, scrollX + innerWidth - box.offsetWidth - 12))}px`;
    box.style.top = `${top}px`;
    field.setAttribute("aria-expanded", "true");
    field.setAttribute("aria-controls", box.id);
    choose(0);
  };
  field.addEventListener("input", (event) => {
    if (event.inputType === "insertText" || event.inputType === "deleteContentBackward") open();
    else close();
  });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && "submits" in field.dataset) {
      event.preventDefault();
      field.form.requestSubmit();
    } else if ((event.ctrlKey || event.metaKey) && event.key === " ") {
      event.preventDefault();
      open();
    } else if (!box) {
      return;
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Tab" && !event.shiftKey) {
      event.preventDefault();
      event.stopImmediatePropagation();
      take();
    } else if (event.key === "Escape") {
      event.stopImmediatePropagation();
      close();
    } else if (event.key.startsWith("Arrow") || event.key === "Enter") {
      close();
    }
  });
}

function attachAll(root) {
  for (const field of root.querySelectorAll("[data-complete]")) {
    attach(field);
  }
}

attachAll(document);
