// The table of a board: filters, groups, side by side, and the address that restores a view.
const data = JSON.parse(byId("data").textContent);
const metrics = new Map(data.metrics.map((metric, place) => [metric.name, { ...metric, place }]));
const names = data.names;
const address = (key, id, ending = "jpg") => ["previews", data.board, key, `${id}.${ending}`].map(encodeURIComponent).join("/");
const photo = (key, id) => {
  const facts = { src: address(key, id), alt: `${id} by ${names[key] || "nobody: the source"}` };
  const image = element("img", { width: 128, height: 128, loading: "lazy", decoding: "async", ...facts });
  image.addEventListener("load", () => crisp(image));
  return image;
};
const hasSource = (id) => data.sources.includes(id);
const edge = (id) => element("img", { src: address("_region", id, "png"), alt: "", className: "outline", width: 128, height: 128, loading: "lazy" });
const decimals = (value, digits) => {
  if (value === 0) return "0";
  const text = value.toFixed(digits);
  return Number(text) === 0 ? value.toExponential(1) : text;
};
const number = (value, place = 0) => (value === null || value === undefined ? "–" : decimals(value, data.labels[place][1]));

const board = (() => {
  const table = byId("board");
  const rows = [...table.querySelectorAll("[data-key]")];
  const cells = new Map(rows.map((row) => [row, new Map([...row.cells].map((cell) => [cell.dataset.c, cell]))]));
  const original = new Map();
  for (const row of rows) {
    for (const name of metrics.keys()) {
      const cell = cells.get(row).get(name);
      original.set(cell, { nodes: [...cell.childNodes], value: cell.dataset.v });
    }
  }
  const watchers = [];
  const group = () => Number(byId("group").value);
  const visible = () => new Set(rows.filter((row) => !row.hidden).map((row) => row.dataset.key));

  const fill = (cell, triple, digits) => {
    cell.replaceChildren();
    cell.dataset.v = triple ? String(triple[0] === null ? Infinity : triple[0]) : "";
    if (!triple) { cell.textContent = "-"; return; }
    // Perfect samples have no finite value and are counted apart.
    if (triple[0] === null) { cell.textContent = `inf (${triple[3]} perfect)`; return; }
    cell.append(decimals(triple[0], digits) + (triple[3] ? ` (+${triple[3]} perfect)` : ""));
    if (triple[1] !== null && triple[1] !== triple[2]) {
      const text = `[${decimals(triple[1], digits)}, ${decimals(triple[2], digits)}]`;
      cell.append(element("span", { className: "interval", textContent: text }));
    }
  };
  const showGroup = () => {
    for (const row of rows) {
      const line = data.rows[row.dataset.key][group()];
      for (const [name, metric] of metrics) {
        const cell = cells.get(row).get(name);
        if (group()) {
          fill(cell, line.length ? line[metric.place] : null, metric.digits);
        } else {
          cell.replaceChildren(...original.get(cell).nodes);
          cell.dataset.v = original.get(cell).value;
        }
      }
    }
  };
  const filterRows = () => {
    const wanted = byId("find").value.trim().toLowerCase();
    for (const row of rows) {
      const section = row.dataset.section;
      row.hidden = (section === "reference" && !byId("reference").checked) || (byId("free").checked && section === "mask")
        || Boolean(wanted && !names[row.dataset.key].toLowerCase().includes(wanted));
    }
    for (const body of table.tBodies) body.hidden = ![...body.rows].some((row) => row.dataset.key && !row.hidden);
    table.classList.toggle("no-intervals", !byId("intervals").checked);
    byId("shown").textContent = `${visible().size} of ${rows.length} methods`;
  };
  const order = sortable(table, () => remember());
  const update = () => {
    showGroup();
    order.apply();
    filterRows();
    for (const watch of watchers) watch();
  };

  // Every part of the page adds what it remembers in the address, and how it takes it up again.
  const parts = [];
  const remember = () => {
    const view = new URLSearchParams();
    if (order.state.name) view.set("sort", (order.state.down ? "-" : "") + order.state.name);
    if (group()) view.set("group", byId("group").selectedOptions[0].textContent);
    if (byId("find").value) view.set("find", byId("find").value);
    for (const [name, usual] of [["free", false], ["reference", true], ["intervals", true], ["all", false]]) {
      if (byId(name).checked !== usual) view.set(name, Number(byId(name).checked));
    }
    for (const part of parts) part.remember(view);
    byId("permalink").setAttribute("href", `#${view}`);
    history.replaceState(null, "", `#${view}`);
  };
  const recall = () => {
    const hash = location.hash.slice(1);
    if (!hash.includes("=")) {
      const place = hash && byId(hash);
      if (place && place.tagName === "DETAILS") { place.open = true; place.scrollIntoView(); }
      return;
    }
    const view = new URLSearchParams(hash), sort = view.get("sort") || "", name = sort.replace(/^-/, "");
    if (order.has(name)) Object.assign(order.state, { name, down: sort.startsWith("-") });
    byId("group").value = String(data.groups.indexOf(view.get("group")) + 1);
    byId("find").value = view.get("find") || "";
    for (const [box, usual] of [["free", false], ["reference", true], ["intervals", true], ["all", false]]) {
      byId(box).checked = view.has(box) ? view.get(box) === "1" : usual;
    }
    byId("all").dispatchEvent(new Event("change"));
    for (const part of parts) part.recall(view);
    update();
  };
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  for (const id of ["group", "free", "reference", "intervals"]) {
    byId(id).addEventListener("change", () => { update(); remember(); });
  }
  byId("all").addEventListener("change", () => remember());
  byId("find").addEventListener("input", () => { update(); remember(); });
  window.addEventListener("hashchange", recall);
  window.addEventListener("DOMContentLoaded", () => { update(); recall(); });
  byId("controls").hidden = false;
  return { rows, group, visible, remember, parts, watch: (watcher) => watchers.push(watcher) };
})();

// The lists that lead to other boards.
if (byId("picker")) {
  const suite = byId("suite"), protocol = byId("protocol");
  const go = (changed, place) => {
    const wanted = data.boards.filter((other) => other[place] === changed.value);
    // The other list gives way where the two have no board together.
    const [page] = wanted.find((other) => other[1] === suite.value && other[2] === protocol.value) || wanted[0];
    location.href = page + location.hash.replace(/(^#|&)(left|right|sample)=[^&]*/g, "$1").replace(/&+/g, "&");
  };
  byId("picker").hidden = false;
  byId("picker").addEventListener("submit", (event) => event.preventDefault());
  suite.addEventListener("change", () => go(suite, 1));
  protocol.addEventListener("change", () => go(protocol, 2));
}
