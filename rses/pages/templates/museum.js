// Pictures of a board: two methods side by side, the wall of all, and the guess.
(() => {
  const left = byId("left"), right = byId("right"), sample = byId("sample");
  if (!left) return;
  const idsOf = (key) => (key === "_source" ? data.sources : Object.keys(data.shots[key] || {}));
  const label = (select) => select.selectedOptions[0].textContent;
  const outline = byId("outline"), stack = document.querySelector(".stack");
  const edgeImage = element("img", { alt: "", className: "outline" });
  stack.querySelector(".cut").before(edgeImage);

  const pickSamples = (wanted) => {
    const other = new Set(idsOf(right.value));
    const common = idsOf(left.value).filter((id) => other.has(id)).sort();
    sample.replaceChildren(...common.map((id) => new Option(id, id)));
    if (common.includes(wanted)) sample.value = wanted;
  };
  const scores = () => {
    const grid = element("table");
    const line = (kind, texts) => {
      const row = grid.insertRow();
      texts.forEach((text, place) => {
        const head = kind === "head" || place === 0;
        row.append(element(head ? "th" : "td", { textContent: text, ...(head ? { scope: kind === "head" ? "col" : "row" } : {}) }));
      });
    };
    line("head", ["score", label(left), label(right)]);
    data.labels.forEach(([title], place) => {
      line("row", [title, ...[left, right].map((select) => number(((data.shots[select.value] || {})[sample.value] || [])[place], place))]);
    });
    const asked = element("p", { textContent: `Style asked for: ${data.samples[sample.value][0] || "–"}` });
    byId("numbers").replaceChildren(asked, grid);
  };
  const showPair = () => {
    if (!sample.value) { byId("numbers").textContent = "These two share no sample with a picture."; return; }
    for (const [select, image] of [[left, byId("image-left")], [right, byId("image-right")]]) {
      Object.assign(image, { src: address(select.value, sample.value), alt: `${sample.value} by ${label(select)}` });
    }
    edgeImage.hidden = !outline || !outline.checked || !hasSource(sample.value);
    if (!edgeImage.hidden) edgeImage.src = address("_region", sample.value, "png");
    scores();
  };
  const step = (select, by) => {
    const count = select.options.length;
    if (count) select.selectedIndex = (select.selectedIndex + by + count) % count;
    if (select !== sample) pickSamples(sample.value);
    showPair();
    board.remember();
  };
  if (right.options.length > 1 && right.value === left.value) right.selectedIndex = 1;
  for (const select of [left, right, sample]) select.addEventListener("change", () => step(select, 0));
  byId("previous").addEventListener("click", () => step(sample, -1));
  byId("next").addEventListener("click", () => step(sample, 1));
  if (outline) outline.addEventListener("change", showPair);
  pickSamples("");
  showPair();
  byId("compare").hidden = false;

  // A picture of the wall opens the pair in a window over the page.
  const viewer = byId("viewer"), compare = byId("compare"), home = byId("gallery");
  const open = (key, id) => {
    if (hasSource(id)) left.value = "_source";
    right.value = key;
    pickSamples(id);
    showPair();
    viewer.append(compare);
    viewer.showModal();
    board.remember();
  };
  byId("viewer-close").addEventListener("click", () => viewer.close());
  viewer.addEventListener("close", () => home.append(compare));
  viewer.addEventListener("keydown", (event) => {
    const [select, by] = { ArrowLeft: [sample, -1], ArrowRight: [sample, 1], ArrowUp: [right, -1], ArrowDown: [right, 1] }[event.key] || [];
    if (!select || event.target.matches("input, select")) return;
    event.preventDefault();
    step(select, by);
  });

  const PAGE = 8, wall = byId("wall"), filters = ["style", "size", "tag", "failure"].map((name) => byId(`wall-${name}`));
  const [style, size, tag, failure] = filters;
  let first = 0;
  const place = (wanted) => data.labels.findIndex(([title]) => title === wanted);
  const failed = (key, id) => {
    const values = data.shots[key][id], gain = values[place("RSM gain")], lpips = values[place("LPIPS_bg")];
    if (failure.value === "style") return gain !== null && gain <= 0;
    if (failure.value === "background") return lpips !== null && lpips >= 0.5;
    return failure.value !== "worst" || data.worst[key].includes(id);
  };
  for (const [select, place] of [[style, 0], [size, 2], [tag, 3]]) {
    const values = Object.values(data.samples).flatMap((facts) => facts[place]).filter(Boolean);
    select.append(...[...new Set(values)].sort().map((value) => new Option(value, value)));
  }
  const drawWall = () => {
    const visible = board.visible(), methods = board.rows.map((row) => row.dataset.key).filter((key) => visible.has(key) && data.shots[key]);
    const asked = ([own, , region, tags]) => (!style.value || own === style.value) && (!size.value || region === size.value)
      && (!tag.value || tags.includes(tag.value));
    const has = (key, id) => id in data.shots[key];
    const ids = Object.keys(data.samples).sort().filter((id) => asked(data.samples[id]) && methods.some((key) => has(key, id) && failed(key, id)))
      // What most methods show comes first.
      .map((id) => [id, methods.filter((key) => has(key, id)).length >= methods.length / 2]).sort((a, b) => b[1] - a[1]).map(([id]) => id);
    first = Math.max(0, Math.min(first, Math.floor((ids.length - 1) / PAGE) * PAGE));
    const cell = (key, id) => {
      if (!has(key, id)) return element("td");
      const picture = element("button", { type: "button", className: failed(key, id) ? "" : "off" }, photo(key, id));
      picture.addEventListener("click", () => open(key, id));
      return element("td", {}, picture, number(data.shots[key][id][0]));
    };
    const head = element("tr", {}, element("th", { scope: "col", textContent: "sample" }));
    head.append(...(data.sources.length ? [element("th", { scope: "col", textContent: "source" })] : []));
    head.append(...methods.map((key) => element("th", { scope: "col", textContent: names[key] })));
    const lines = ids.slice(first, first + PAGE).map((id) => {
      const [own, object, region, tags] = data.samples[id];
      const facts = element("small", { textContent: [...new Set([object, own, region, ...tags])].filter(Boolean).join(", ") });
      const line = element("tr", {}, element("th", { scope: "row" }, id, facts));
      if (data.sources.length) line.append(element("td", {}, ...(hasSource(id) ? [photo("_source", id), "\u00a0"] : [])));
      line.append(...methods.map((key) => cell(key, id)));
      return line;
    });
    wall.replaceChildren(element("thead", {}, head), element("tbody", {}, ...lines));
    byId("wall-back").disabled = first === 0;
    byId("wall-on").disabled = first + PAGE >= ids.length;
    byId("wall-shown").textContent = ids.length ? `${first + 1} to ${Math.min(first + PAGE, ids.length)} of ${ids.length} samples` : "no such sample";
  };
  const page = (by) => { first += by * PAGE; drawWall(); board.remember(); };
  for (const filter of filters) filter.addEventListener("change", () => { first = 0; drawWall(); board.remember(); });
  byId("wall-back").addEventListener("click", () => page(-1));
  byId("wall-on").addEventListener("click", () => page(1));
  byId("wall-controls").addEventListener("submit", (event) => event.preventDefault());
  byId("wall-controls").hidden = false;
  wall.addEventListener("keydown", (event) => {
    const [down, on] = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key] || [];
    if (down === undefined) return;
    const cell = event.target.closest("td"), row = cell.parentElement;
    const next = (down ? wall.tBodies[0].rows[row.sectionRowIndex + down] : row)?.cells[cell.cellIndex + on];
    event.preventDefault();
    next?.querySelector("button")?.focus();
  });
  // A wall that nobody sees is drawn later.
  const near = { seen: false, stale: true };
  const draw = () => { if (near.seen && near.stale) { near.stale = false; drawWall(); } };
  board.watch(() => { near.stale = true; draw(); });
  new IntersectionObserver(([entry]) => { near.seen = entry.isIntersecting; draw(); }, { rootMargin: "400px" }).observe(byId("museum"));

  // Two methods that differ in RSES-P on one sample.
  const guess = byId("guess"), said = byId("guess-said"), again = byId("guess-next"), tally = { right: 0, all: 0 };
  const any = (list) => list[Math.floor(Math.random() * list.length)];
  const ask = () => {
    const methods = board.rows.filter((row) => row.dataset.section !== "reference").map((row) => row.dataset.key);
    const score = (key, id) => ((data.shots[key] || {})[id] || [null])[0];
    const pairs = Object.keys(data.samples).map((id) => [id, methods.filter((key) => score(key, id) !== null)])
      .filter(([id, keys]) => new Set(keys.map((key) => score(key, id))).size > 1);
    if (!pairs.length) { byId("guess-section").hidden = true; return; }
    const [id, keys] = any(pairs), one = any(keys), two = any(keys.filter((key) => score(key, id) !== score(one, id)));
    const [asked, object] = data.samples[id];
    const choice = (key, other) => {
      const image = photo(key, id);
      image.alt = "One of two edits";
      const button = element("button", { type: "button" }, image, element("span", { textContent: "This one is better" }));
      button.dataset.key = key;
      button.addEventListener("click", () => {
        const agree = score(key, id) > score(other, id);
        tally.all += 1;
        tally.right += agree ? 1 : 0;
        said.textContent = `${agree ? "RSES-P says so too" : "RSES-P prefers the other"}. You agree in ${tally.right} of ${tally.all}.`;
        for (const shown of guess.querySelectorAll("button")) {
          const values = data.shots[shown.dataset.key][id];
          shown.disabled = true;
          shown.querySelector("img").alt = `${id} by ${names[shown.dataset.key]}`;
          const text = data.labels.map(([title], at) => `${title} ${number(values[at], at)}`).join(", ");
          shown.lastChild.replaceChildren(element("b", { textContent: names[shown.dataset.key] }), element("small", { textContent: text }));
        }
        again.focus();
      });
      return button;
    };
    const source = element("div", {}, ...(hasSource(id) ? [photo("_source", id), edge(id)] : []), element("span", { textContent: `${object || id} → ${asked || "?"}` }));
    guess.replaceChildren(source, choice(one, two), choice(two, one));
    said.textContent = "";
    again.hidden = false;
  };
  again.addEventListener("click", ask);
  ask();

  const choose = (select, value) => {
    if (value !== null && [...select.options].some((option) => option.value === value)) select.value = value;
  };
  board.parts.push({
    remember: (view) => {
      for (const select of [left, right, sample]) view.set(select.id, select.value);
      for (const filter of filters) if (filter.value) view.set(filter.id, filter.value);
      if (first) view.set("wall", first);
    },
    recall: (view) => {
      for (const filter of filters) { filter.value = ""; choose(filter, view.get(filter.id)); }
      first = Number(view.get("wall")) || 0;
      if (!view.has("left") && !view.has("right")) return;
      choose(left, view.get("left"));
      choose(right, view.get("right"));
      pickSamples(view.get("sample"));
      showPair();
      if (!view.has("sort") && !view.has("left")) home.scrollIntoView();
    },
  });
})();
