// The chart of a board: marks follow groups and filters, fronts are steps, names stand where they cover nothing.
(() => {
  const svg = document.querySelector(".scatter");
  if (!svg) return;
  const { across, up, x, y } = data.chart;
  const points = [...svg.querySelectorAll("[data-key]")];
  const width = svg.viewBox.baseVal.width, tip = byId("tip");
  const at = ([low, high, start, end], value) => {
    const place = start + ((end - start) * (value - low)) / (high - low);
    return Math.min(Math.max(place, Math.min(start, end)), Math.max(start, end));
  };
  const cell = (key, name) => (data.rows[key][board.group()] || [])[metrics.get(name).place];
  const shown = new Map();

  const move = () => {
    const visible = board.visible();
    shown.clear();
    for (const point of points) {
      const key = point.dataset.key, right = cell(key, across), high = cell(key, up);
      const off = !visible.has(key) || !right || !high || right[0] === null || high[0] === null;
      point.style.display = off ? "none" : "";
      if (off) continue;
      const px = at(x, right[0]), py = at(y, high[0]);
      const bar = (axis, triple, place) => [1, 2].map((end) => (at(axis, triple[end] ?? triple[0]) - place).toFixed(1));
      const [x0, x1] = bar(x, right, px), [y0, y1] = bar(y, high, py);
      point.setAttribute("transform", `translate(${px.toFixed(1)} ${py.toFixed(1)})`);
      point.querySelector(".bars").setAttribute("d", `M${x0} 0H${x1}M0 ${y0}V${y1}`);
      shown.set(point, [px, py]);
    }
  };
  const drawFronts = () => {
    const signs = [metrics.get(across).up ? -1 : 1, metrics.get(up).up ? 1 : -1];
    for (const path of svg.querySelectorAll(".front")) {
      const section = path.classList[1];
      const members = [...shown].filter(([point]) => point.classList.contains(section)).map(([, place]) => place);
      members.sort((a, b) => signs[0] * (a[0] - b[0]) || signs[1] * (a[1] - b[1]));
      const best = members.filter((p, i) => members.slice(0, i).every((q) => signs[1] * (p[1] - q[1]) < 0));
      const steps = best.slice(1).map(([px, py]) => `H${px.toFixed(1)}V${py.toFixed(1)}`);
      path.setAttribute("d", steps.length ? `M${best[0].map((v) => v.toFixed(1)).join(" ")}${steps.join("")}` : "");
    }
  };
  const placeNames = () => {
    const taken = [...shown.values()].map(([px, py]) => [px - 7, py - 7, px + 7, py + 7]);
    const meets = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
    for (const [point, [px, py]] of shown) {
      const name = point.querySelector(".name"), long = name.getComputedTextLength();
      const places = [0, 12, 24, 36].flatMap((far) => [[9, 14 + far], [9, -6 - far], [-9 - long, -6 - far], [-9 - long, 14 + far]]);
      const box = ([dx, dy]) => [px + dx - 1, py + dy - 10, px + dx + long + 1, py + dy + 3];
      const free = places.find((place) => {
        const own = box(place);
        return own[0] > x[2] && own[2] < width && own[1] > y[3] - 12 && own[3] < y[2] && !taken.some((other) => meets(own, other));
      });
      const [dx, dy] = free || places[0];
      name.setAttribute("x", dx.toFixed(1));
      name.setAttribute("y", dy.toFixed(1));
      // A name without room is read in the hint of its mark, and shown where the mark is pointed at.
      name.setAttribute("visibility", free ? "visible" : "hidden");
      if (free) taken.push(box(free));
    }
  };
  board.watch(() => { move(); drawFronts(); placeNames(); });

  const show = (point) => {
    const key = point.dataset.key, ids = Object.keys(data.shots[key] || {}).slice(0, 3);
    const text = [across, up].map((name) => [metrics.get(name), cell(key, name)])
      .map(([metric, triple]) => `${metric.title} ${decimals(triple[0], metric.digits)}`).join(", ");
    tip.replaceChildren(element("p", {}, element("b", { textContent: names[key] }), `: ${text}`), element("div", {}, ...ids.map((id) => photo(key, id))));
    tip.hidden = false;
    const box = point.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(box.right + 12, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${Math.max(8, Math.min(box.top, innerHeight - tip.offsetHeight - 8))}px`;
  };
  for (const point of points) {
    for (const event of ["pointerenter", "focus"]) point.addEventListener(event, () => show(point));
    for (const event of ["pointerleave", "blur"]) point.addEventListener(event, () => { tip.hidden = true; });
    // The hint replaces the browser's own.
    point.querySelector("title").remove();
  }
})();
