// Enhancements only: every page works without this file.
import { initAll } from "./vendor/nhsuk-frontend/nhsuk-frontend.min.js";

const RECENT = "icsearch-recent";
const MOST_RECENT = 8;
const COPIED_FOR = 2500;
const TABLE_ROLES = [
  ["thead, tbody", "rowgroup"],
  ["tr", "row"],
  ["thead th", "columnheader"],
  ["tbody th", "rowheader"],
  ["td", "cell"],
];

initAll();
enhance(document);
recentQuestions();
showCitation();

// Parts that stay hidden where no script runs.
function enhance(root) {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
  for (const item of root.querySelectorAll("[data-print]")) item.hidden = false;
  // Tables that a narrow window lays out as lists are still told as tables.
  for (const table of root.querySelectorAll(".app-matrix, .app-register")) {
    table.setAttribute("role", "table");
    for (const [parts, role] of TABLE_ROLES) {
      for (const part of table.querySelectorAll(parts)) part.setAttribute("role", role);
    }
  }
  // A table wider than its place can be scrolled by keyboard.
  root.querySelectorAll(".app-table-wrap").forEach((wrap, at) => {
    if (wrap.scrollWidth <= wrap.clientWidth) return;
    wrap.tabIndex = 0;
    wrap.setAttribute("role", "region");
    wrap.setAttribute("aria-label", `Wide table ${at + 1}`);
  });
}

document.addEventListener("click", (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) copyQuote(copy);
  if (event.target.closest("[data-print] button")) window.print();
  if (event.target.closest("[data-forget]")) forget();
});

// On paper nothing is folded away.
window.addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("main details:not([open])")) fold.open = true;
});

// Fields left empty stay out of the address, but for the home system: none is a choice to remember.
document.addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData.entries()]) {
    if (value === "" && name !== "home") event.formData.delete(name);
  }
});

async function copyQuote(button) {
  const link = new URL(button.dataset.url, location.href).href;
  const done = await toClipboard(`${button.dataset.copy} ${link}`);
  const label = button.textContent;
  button.textContent = done ? "Copied" : "Could not be copied";
  announce(done ? "Quote copied with its reference" : "The quote could not be copied");
  setTimeout(() => (button.textContent = label), COPIED_FOR);
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "nhsuk-u-visually-hidden";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function announce(text) {
  document.getElementById("announcement").textContent = text;
}

// Recent questions: kept by the browser, shown on the home page, never sent.
function recent() {
  try {
    const kept = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
    return Array.isArray(kept) ? kept.filter((item) => typeof item?.q === "string") : [];
  } catch {
    return [];
  }
}

function recentQuestions() {
  const address = new URL(location.href);
  const q = address.searchParams.get("q")?.trim();
  if (address.pathname === "/ask" && q && document.querySelector(".app-answer")) {
    address.searchParams.delete("index_id");
    address.hash = "";
    const kept = recent().filter((item) => item.q !== q);
    kept.unshift({ q, href: address.pathname + address.search });
    try {
      localStorage.setItem(RECENT, JSON.stringify(kept.slice(0, MOST_RECENT)));
    } catch {
      // A browser that keeps nothing is asked to keep nothing.
    }
  }
  const box = document.querySelector("[data-recent]");
  const kept = recent().filter((item) => String(item.href).startsWith("/ask?"));
  if (!box || !kept.length) return;
  box.hidden = false;
  box.querySelector("ul").replaceChildren(
    ...kept.map((item) => {
      const link = document.createElement("a");
      link.href = item.href;
      link.textContent = item.q;
      const line = document.createElement("li");
      line.append(link);
      return line;
    }),
  );
}

function forget() {
  localStorage.removeItem(RECENT);
  document.querySelector("[data-recent]").hidden = true;
  announce("Your recent questions are forgotten");
  document.getElementById("q")?.focus();
}

// The viewer: the cited words in the middle of the window, with the focus on them.
function showCitation() {
  const named = location.hash.slice(1) && decodeURIComponent(location.hash.slice(1));
  const address = new URL(location.href);
  const inViewer = /^\/documents\/[a-z0-9-]+$/.test(address.pathname);
  if (!inViewer) return;
  if (named && !document.getElementById(named) && /\.\d+-\d+$/.test(named)) {
    if (address.searchParams.getAll("cite").includes(named)) return;
    address.searchParams.append("cite", named);
    location.replace(address);
    return;
  }
  const page = address.searchParams.get("page");
  const target = named
    ? document.getElementById(named)
    : document.querySelector("[data-cited]") ?? (page && document.getElementById(`page-${page}`));
  if (!target) return;
  target.scrollIntoView({ block: "center" });
  if (target.matches("mark")) target.focus({ preventScroll: true });
}

// Results that htmx put in place are read out and focused like a new page.
document.addEventListener("htmx:after:swap", () => {
  document.querySelector("[data-intro]")?.remove();
  enhance(document);
  recentQuestions();
  const headline = document.getElementById("headline");
  if (!headline) return;
  announce(headline.textContent.replace(/\s+/g, " ").trim());
  headline.focus({ preventScroll: true });
  headline.scrollIntoView({ block: "nearest" });
});
document.addEventListener("htmx:before:request", () => {
  document.getElementById("results")?.setAttribute("aria-busy", "true");
});
document.addEventListener("htmx:finally:request", () => {
  document.getElementById("results")?.removeAttribute("aria-busy");
});
document.addEventListener("htmx:error", () => {
  announce("The answer could not be fetched. Try again.");
});
