"use strict";
// Every text goes into the page as text, never as markup: names and reasons come from repositories and clusters.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const facets = [
  { key: "state", title: "State", of: (one) => (one.state === "unknown" && !data.look ? [] : [one.state]),
    show: (value) => data.words[value] },
  { key: "touched", title: "Change", of: (one) => (one.touched ? ["touched"] : []), show: () => `touched since ${data.against}` },
  { key: "project", title: "Project", of: (one) => [one.project] },
  { key: "source", title: "Source", of: (one) => [...new Set(one.sources.map((source) => source.repository))].filter(Boolean),
    show: (value) => value.replace(/^https:\/\//, "").replace(/\.git$/, "") },
  { key: "cluster", title: "Cluster", of: (one) => [one.cluster] },
];
const applications = new Map(data.applications.map((one) => [one.label, one]));
const cards = new Map();
const places = new Map();
const state = { chosen: new Map(), search: "", open: "", current: "" };

function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made && typeof value !== "string") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const placeKey = (facet, value) => JSON.stringify([facet, value]);

function buildFacets() {
  for (const facet of facets) {
    const counts = new Map();
    for (const one of data.applications) for (const value of facet.of(one)) counts.set(value, (counts.get(value) ?? 0) + 1);
    if (!counts.size) continue;
    const order = facet.key === "state" ? Object.keys(data.words).filter((value) => counts.has(value)) : [...counts.keys()].sort();
    const list = make("ul");
    for (const value of order) {
      const shown = facet.show ? facet.show(value) : value;
      const button = make("button", { type: "button", "aria-pressed": "false" },
        make("span", {}, shown), make("span", { class: "count" }, String(counts.get(value))));
      button.addEventListener("click", () => { toggle(facet.key, value); });
      places.set(placeKey(facet.key, value), button);
      list.append(make("li", {}, button));
    }
    byId("facets").append(make("section", {}, make("h2", {}, facet.title), list));
  }
}

function buildGroups() {
  for (const group of data.groups) {
    const list = make("ul");
    for (const label of group.members) {
      const one = applications.get(label);
      const said = [one.project, ...(one.state === "unknown" ? [] : [data.words[one.state]])];
      if (one.changes.length) said.push(`${one.changes.length} changed`);
      const card = make("button", { type: "button", class: `card ${one.state}${one.touched ? " touched" : ""}`,
        "aria-expanded": "false", "aria-controls": "details", tabindex: "-1" },
        make("span", {}, label), make("small", {}, said.join(" · ")));
      card.addEventListener("click", () => { open(state.open === label ? "" : label); });
      card.addEventListener("focus", () => { setCurrent(label); });
      cards.set(label, card);
      list.append(make("li", {}, card));
    }
    const title = `wave ${group.wave}${group.parent ? ` of ${group.parent}` : ""}`;
    byId("groups").append(make("section", { "aria-label": title }, make("h2", {}, title), list));
  }
  byId("notes").append(...data.notes.map((note) => make("li", {}, `not seen: ${note}`)));
}

function isShown(one) {
  const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  const text = [one.label, one.project, one.cluster, one.namespace, one.reason,
    ...one.sources.flatMap((source) => [source.repository, source.place, source.revision])].join(" ").toLowerCase();
  return words.every((word) => text.includes(word)) && facets.every((facet) => {
    const chosen = state.chosen.get(facet.key);
    return !chosen?.size || facet.of(one).some((value) => chosen.has(value));
  });
}

function show() {
  let count = 0;
  for (const [label, card] of cards) {
    const shown = isShown(applications.get(label));
    card.parentElement.hidden = !shown;
    count += shown;
  }
  for (const section of byId("groups").children) section.hidden = !section.querySelector("li:not([hidden])");
  for (const [key, button] of places) {
    const [facet, value] = JSON.parse(key);
    button.setAttribute("aria-pressed", String(state.chosen.get(facet)?.has(value) ?? false));
  }
  const all = data.applications.length;
  byId("summary").textContent = `${count === all ? all : `${count} of ${all}`} application${all === 1 ? "" : "s"}${data.time ? `, as of ${data.time}` : ""}`;
  if (cards.get(state.current)?.parentElement.hidden ?? true) setCurrent(visible()[0] ?? "");
  keep();
  draw();
}

function toggle(facet, value) {
  const chosen = state.chosen.get(facet) ?? new Set();
  if (!chosen.delete(value)) chosen.add(value);
  state.chosen.set(facet, chosen);
  show();
}

const visible = () => [...cards].filter(([, card]) => !card.parentElement.hidden).map(([label]) => label);

// One card is in the order of Tab; the arrow keys go on from it.
function setCurrent(label) {
  cards.get(state.current)?.setAttribute("tabindex", "-1");
  state.current = label;
  cards.get(label)?.setAttribute("tabindex", "0");
}

function open(label) {
  cards.get(state.open)?.setAttribute("aria-expanded", "false");
  state.open = applications.has(label) ? label : "";
  const panel = byId("details");
  panel.hidden = !state.open;
  panel.replaceChildren();
  if (state.open) {
    cards.get(label).setAttribute("aria-expanded", "true");
    fill(panel, applications.get(label));
  }
  keep();
  draw();
}

function fill(panel, one) {
  const close = make("button", { type: "button" }, "Close");
  close.addEventListener("click", closeDetails);
  const list = make("dl");
  const row = (name, value) => { if (value) list.append(make("dt", {}, name), make("dd", {}, value)); };
  row("state", one.state === "unknown" ? "" : data.words[one.state]);
  row("reason", one.reason);
  row("sync", one.sync);
  row("health", one.health);
  row("revision", one.revision);
  row("project", one.project);
  row("wave", String(one.wave));
  row("made by", one.parent);
  row("cluster", one.cluster);
  row("namespace", one.namespace);
  row("objects", one.partial ? `${one.objects}, and others that could not be rendered` : String(one.objects));
  for (const source of one.sources) row("source", [source.repository, source.place, source.revision].filter(Boolean).join(" "));
  panel.append(make("h2", {}, one.label), close, list);
  const children = data.applications.filter((other) => other.parent === one.label).length;
  if (children) row("renders", `${children} application${children === 1 ? "" : "s"}`);
  if (one.touched) {
    panel.append(make("h3", {}, `What the change since ${data.against} does`),
      make("pre", {}, [...one.risks.map((risk) => `! ${risk}`), ...one.changes].join("\n")));
  }
}

function closeDetails() {
  const label = state.open;
  open("");
  cards.get(label)?.focus();
}

function draw() {
  const svg = byId("lines");
  svg.replaceChildren();
  const one = applications.get(state.open);
  const from = cards.get(state.open);
  if (!one || !from?.getClientRects().length) return;
  const ends = [cards.get(one.parent), places.get(placeKey("project", one.project)), places.get(placeKey("cluster", one.cluster)),
    ...one.sources.map((source) => places.get(placeKey("source", source.repository)))];
  const start = from.getBoundingClientRect();
  for (const end of ends) {
    if (!end?.getClientRects().length) continue;
    const to = end.getBoundingClientRect();
    const left = to.right < start.left;
    const [x1, y1] = left ? [start.left, start.top + start.height / 2] : [start.left + start.width / 2, start.top];
    const [x2, y2] = left ? [to.right, to.top + to.height / 2] : [to.left + to.width / 2, to.bottom];
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", left ? `M${x1} ${y1}C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`
      : `M${x1} ${y1}C${x1} ${(y1 + y2) / 2} ${x2} ${(y1 + y2) / 2} ${x2} ${y2}`);
    svg.append(path);
  }
}

function move(key) {
  const labels = visible();
  const at = labels.indexOf(state.current);
  let next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: labels.length - 1 }[key];
  if (next === undefined) {
    // The nearest card of the next row that has one, in this band or another.
    const step = key === "ArrowDown" ? 1 : -1;
    const here = cards.get(state.current).getBoundingClientRect();
    let row = null;
    for (let index = at + step; index >= 0 && index < labels.length; index += step) {
      const there = cards.get(labels[index]).getBoundingClientRect();
      if (Math.abs(there.top - here.top) < 2 || (row !== null && Math.abs(there.top - row) > 2)) continue;
      row ??= there.top;
      if (next === undefined || Math.abs(there.left - here.left) < Math.abs(cards.get(labels[next]).getBoundingClientRect().left - here.left)) next = index;
    }
  }
  if (labels[next] !== undefined) cards.get(labels[next]).focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target === byId("search");
  if (event.key === "/" && !typing) { event.preventDefault(); byId("search").focus(); }
  else if (event.key === "Escape" && state.open) closeDetails();
  else if (event.target.classList?.contains("card") && /^(Arrow|Home$|End$)/.test(event.key)) { event.preventDefault(); move(event.key); }
});
byId("search").addEventListener("input", (event) => { state.search = event.target.value; show(); });
byId("clear").addEventListener("click", () => { state.chosen.clear(); state.search = byId("search").value = ""; show(); });
for (const name of ["scroll", "resize"]) window.addEventListener(name, draw, { passive: true, capture: true });

// What is looked at stays across a reload, and can be sent to somebody as a link.
function keep() {
  const found = new URLSearchParams();
  if (state.search) found.set("search", state.search);
  if (state.open) found.set("open", state.open);
  for (const [facet, chosen] of state.chosen) for (const value of chosen) found.append(facet, value);
  history.replaceState(null, "", `#${found}`);
}

function recall() {
  const found = new URLSearchParams(location.hash.slice(1));
  state.search = byId("search").value = found.get("search") ?? "";
  for (const facet of facets) {
    const known = found.getAll(facet.key).filter((value) => places.has(placeKey(facet.key, value)));
    if (known.length) state.chosen.set(facet.key, new Set(known));
  }
  return found.get("open") ?? "";
}

buildFacets();
buildGroups();
const opened = recall();
show();
open(opened);
if (data.reloadSeconds) {
  const focused = sessionStorage.getItem("focused");
  if (focused === "search") byId("search").focus();
  else cards.get(focused)?.focus({ preventScroll: true });
  setTimeout(() => {
    const at = document.activeElement;
    sessionStorage.setItem("focused", at === byId("search") ? "search" : at?.classList.contains("card") ? state.current : "");
    location.reload();
  }, data.reloadSeconds * 1000);
}
