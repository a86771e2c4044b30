"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const table = byId("board");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const buttons = [...table.querySelectorAll("thead button")];
  const metrics = new Map(data.metrics.map((metric, place) => [metric.name, { ...metric, place }]));
  const cells = new Map(rows.map((row) => [row, new Map([...row.cells].map((cell) => [cell.dataset.c, cell]))]));
  const points = new Map([...document.querySelectorAll(".scatter [data-key]")].map((p) => [p.dataset.key, p]));
  const original = new Map();
  for (const row of rows) {
    for (const name of metrics.keys()) {
      const cell = cells.get(row).get(name);
      original.set(cell, { nodes: [...cell.childNodes], value: cell.dataset.v });
    }
  }
  const state = { sort: "", down: false };

  const format = (value, digits) => {
    if (value === 0) return "0";
    const text = value.toFixed(digits);
    return Number(text) === 0 ? value.toExponential(1) : text;
  };
  const fill = (cell, triple, digits) => {
    cell.replaceChildren();
    cell.dataset.v = triple ? String(triple[0] === null ? Infinity : triple[0]) : "";
    if (!triple) { cell.textContent = "-"; return; }
    // Perfect samples have no finite value and are counted apart.
    if (triple[0] === null) { cell.textContent = `inf (${triple[3]} perfect)`; return; }
    cell.append(format(triple[0], digits) + (triple[3] ? ` (+${triple[3]} perfect)` : ""));
    if (triple[1] !== null && triple[1] !== triple[2]) {
      const interval = document.createElement("span");
      interval.className = "interval";
      interval.textContent = `[${format(triple[1], digits)}, ${format(triple[2], digits)}]`;
      cell.append(interval);
    }
  };
  const showGroup = (group) => {
    for (const row of rows) {
      const line = data.rows[row.dataset.key][group];
      for (const [name, metric] of metrics) {
        const cell = cells.get(row).get(name);
        if (group === 0) {
          cell.replaceChildren(...original.get(cell).nodes);
          cell.dataset.v = original.get(cell).value;
        } else {
          fill(cell, line.length ? line[metric.place] : null, metric.digits);
        }
      }
    }
  };
  const sortRows = () => {
    for (const button of buttons) {
      const head = button.parentElement;
      if (button.dataset.sort === state.sort) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    if (!state.sort) { body.append(...rows); return; }
    const text = buttons.find((button) => button.dataset.sort === state.sort).dataset.kind === "text";
    const sign = state.down ? -1 : 1;
    const keyed = rows.map((row) => [row, cells.get(row).get(state.sort).dataset.v]);
    keyed.sort(([, a], [, b]) => {
      // A missing value goes last, whatever the direction.
      if (a === "" || b === "") return (a === "") - (b === "");
      if (a === b) return 0;
      return sign * (text ? a.localeCompare(b) : Number(a) - Number(b));
    });
    body.append(...keyed.map(([row]) => row));
  };
  const filterRows = () => {
    const wanted = byId("find").value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const section = row.dataset.section;
      const off = (section === "reference" && !byId("reference").checked)
        || (byId("free").checked && section === "mask")
        || (wanted && !data.names[row.dataset.key].toLowerCase().includes(wanted));
      row.hidden = Boolean(off);
      shown += off ? 0 : 1;
      const point = points.get(row.dataset.key);
      if (point) point.style.display = off ? "none" : "";
    }
    table.classList.toggle("no-intervals", !byId("intervals").checked);
    byId("shown").textContent = `${shown} of ${rows.length} methods`;
  };

  const left = byId("left"), right = byId("right"), sample = byId("sample");
  const gallery = Boolean(left);
  const picture = (key, id) => ["previews", data.board, key, `${id}.jpg`].map(encodeURIComponent).join("/");
  const idsOf = (key) => (key === "_source" ? data.sources : Object.keys(data.shots[key] || {}));
  const label = (select) => select.selectedOptions[0].textContent;
  const pickSamples = (wanted) => {
    const other = new Set(idsOf(right.value));
    const common = idsOf(left.value).filter((id) => other.has(id)).sort();
    sample.replaceChildren(...common.map((id) => new Option(id, id)));
    if (common.includes(wanted)) sample.value = wanted;
  };
  const numbers = () => {
    const grid = document.createElement("table");
    const line = (kind, texts) => {
      const row = grid.insertRow();
      texts.forEach((text, place) => {
        const cell = document.createElement(kind === "head" || place === 0 ? "th" : "td");
        cell.textContent = text;
        row.append(cell);
      });
    };
    line("head", ["", label(left), label(right)]);
    data.labels.forEach((title, place) => {
      const values = [left, right].map((select) => (data.shots[select.value] || {})[sample.value]);
      line("row", [title, ...values.map((v) => (v && v[place] !== null ? String(v[place]) : "–"))]);
    });
    const style = document.createElement("p");
    style.textContent = `Style asked for: ${data.styles[sample.value] || "–"}`;
    byId("numbers").replaceChildren(style, grid);
  };
  const showPair = () => {
    if (!sample.value) { byId("numbers").textContent = "These two share no sample with a picture."; return; }
    for (const [select, image] of [[left, byId("image-left")], [right, byId("image-right")]]) {
      image.src = picture(select.value, sample.value);
      image.alt = `${sample.value} by ${label(select)}`;
    }
    numbers();
  };
  const step = (by) => {
    const count = sample.options.length;
    if (count) sample.selectedIndex = (sample.selectedIndex + by + count) % count;
    showPair();
    remember();
  };

  const remember = () => {
    const view = new URLSearchParams();
    if (state.sort) view.set("sort", (state.down ? "-" : "") + state.sort);
    if (byId("group").value !== "0") view.set("group", byId("group").selectedOptions[0].textContent);
    if (byId("find").value) view.set("find", byId("find").value);
    if (byId("free").checked) view.set("free", "1");
    if (!byId("reference").checked) view.set("reference", "0");
    if (!byId("intervals").checked) view.set("intervals", "0");
    if (gallery) {
      view.set("left", left.value);
      view.set("right", right.value);
      view.set("sample", sample.value);
    }
    byId("permalink").setAttribute("href", "#" + view);
    history.replaceState(null, "", "#" + view);
  };
  const choose = (select, value) => {
    if (value !== null && [...select.options].some((option) => option.value === value)) select.value = value;
  };
  const recall = () => {
    const hash = location.hash.slice(1);
    if (!hash.includes("=")) {
      const card = hash && byId(hash);
      if (card && card.tagName === "DETAILS") { card.open = true; card.scrollIntoView(); }
      return;
    }
    const view = new URLSearchParams(hash);
    const sort = view.get("sort") || "";
    const name = sort.replace(/^-/, "");
    if (buttons.some((button) => button.dataset.sort === name)) {
      state.sort = name;
      state.down = sort.startsWith("-");
    }
    const group = data.groups.indexOf(view.get("group"));
    if (view.has("group")) byId("group").value = String(group + 1);
    if (view.has("find")) byId("find").value = view.get("find");
    byId("free").checked = view.get("free") === "1";
    byId("reference").checked = view.get("reference") !== "0";
    byId("intervals").checked = view.get("intervals") !== "0";
    if (gallery && (view.has("left") || view.has("right"))) {
      choose(left, view.get("left"));
      choose(right, view.get("right"));
      pickSamples(view.get("sample"));
      showPair();
      if (!view.has("sort") && !view.has("left")) byId("gallery").scrollIntoView();
    }
    showGroup(Number(byId("group").value));
    sortRows();
    filterRows();
  };

  for (const button of buttons) {
    button.addEventListener("click", () => {
      const first = button.dataset.kind === "up";
      state.down = state.sort === button.dataset.sort ? !state.down : first;
      state.sort = button.dataset.sort;
      sortRows();
      remember();
    });
  }
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("group").addEventListener("change", () => { showGroup(Number(byId("group").value)); sortRows(); remember(); });
  for (const id of ["free", "reference", "intervals"]) {
    byId(id).addEventListener("change", () => { filterRows(); remember(); });
  }
  byId("find").addEventListener("input", () => { filterRows(); remember(); });
  if (gallery) {
    if (right.options.length > 1 && right.value === left.value) right.selectedIndex = 1;
    for (const select of [left, right]) {
      select.addEventListener("change", () => { pickSamples(sample.value); showPair(); remember(); });
    }
    sample.addEventListener("change", () => { showPair(); remember(); });
    byId("previous").addEventListener("click", () => step(-1));
    byId("next").addEventListener("click", () => step(1));
    const cut = byId("cut");
    cut.addEventListener("input", () => document.querySelector(".stack").style.setProperty("--cut", cut.value + "%"));
    pickSamples("");
    showPair();
    byId("compare").hidden = false;
  }
  const picker = byId("picker");
  if (picker) {
    picker.hidden = false;
    const suite = byId("suite"), protocol = byId("protocol");
    const go = (changed, place) => {
      const wanted = data.boards.filter((board) => board[place] === changed.value);
      // The other list gives way where the two have no board together.
      const [address] = wanted.find((board) => board[1] === suite.value && board[2] === protocol.value) || wanted[0];
      location.href = address + location.hash.replace(/(^#|&)(left|right|sample)=[^&]*/g, "$1").replace(/&+/g, "&");
    };
    picker.addEventListener("submit", (event) => event.preventDefault());
    suite.addEventListener("change", () => go(suite, 1));
    protocol.addEventListener("change", () => go(protocol, 2));
  }
  window.addEventListener("hashchange", recall);
  byId("controls").hidden = false;
  filterRows();
  recall();
})();
