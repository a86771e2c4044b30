(() => {
  const table = byId("table");
  if (table) sortable(table);
  const list = document.querySelector(".samples");
  if (!list) return;
  const items = [...list.children];
  const sort = byId("sort"), style = byId("style"), shown = byId("shown");
  for (const name of [...new Set(items.map((item) => item.dataset.style).filter(Boolean))].sort()) {
    style.append(new Option(name, name));
  }
  for (const option of [...sort.options]) {
    if (option.value && !items.some((item) => item.hasAttribute(`data-${option.value}`))) option.remove();
  }
  const bad = (item) => {
    const value = item.getAttribute(`data-${sort.value}`);
    return value === null ? -Infinity : Number(value);
  };
  const update = () => {
    list.append(...(sort.value ? [...items].sort((a, b) => bad(b) - bad(a) || 0) : items));
    for (const item of items) item.hidden = Boolean(style.value) && item.dataset.style !== style.value;
    shown.textContent = `${items.filter((item) => !item.hidden).length} shown`;
  };
  sort.addEventListener("change", update);
  style.addEventListener("change", update);
  byId("gallery-controls").hidden = false;

  // One edit at full size: over its source, its difference or its LPIPS map.
  const viewer = byId("viewer"), mode = byId("viewer-mode"), left = byId("image-left"), right = byId("image-right");
  const edits = () => [...list.querySelectorAll("li:not([hidden]) .edit")];
  let current = null;
  const pair = () => {
    const edit = current.querySelector(".open img"), item = current.closest("li");
    const from = current.querySelector("template")?.content || item;
    const source = item.querySelector("[data-map=source]");
    const pairs = source ? [["source and edit", source, edit]] : [["edit", edit, edit]];
    for (const map of from.querySelectorAll("[data-map=difference], [data-map=LPIPS]")) {
      pairs.push([`edit and ${map.dataset.map === "LPIPS" ? "LPIPS map" : "difference"}`, edit, map]);
    }
    return { pairs, scores: from.querySelector(".scores"), title: current.querySelector(".open").dataset.title };
  };
  const draw = () => {
    const { pairs, scores, title } = pair();
    const chosen = Math.min(Math.max(0, mode.selectedIndex), pairs.length - 1);
    mode.replaceChildren(...pairs.map(([name]) => new Option(name)));
    mode.selectedIndex = chosen;
    const [, first, second] = pairs[chosen];
    for (const [image, shot] of [[left, first], [right, second]]) Object.assign(image, { src: shot.src, alt: shot.alt });
    byId("viewer-title").textContent = title;
    byId("viewer-scores").replaceChildren(scores.cloneNode(true));
  };
  const step = (by) => {
    const all = edits();
    current = all[(all.indexOf(current) + by + all.length) % all.length];
    draw();
  };
  list.addEventListener("click", (event) => {
    const button = event.target.closest(".open");
    if (!button) return;
    current = button.closest(".edit");
    draw();
    viewer.showModal();
  });
  mode.addEventListener("change", draw);
  byId("viewer-previous").addEventListener("click", () => step(-1));
  byId("viewer-next").addEventListener("click", () => step(1));
  byId("viewer-close").addEventListener("click", () => viewer.close());
  viewer.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by && !event.target.matches("input, select")) step(by);
  });
})();
