// Looks at a report from inside: an object with the figures, and findings as sentences. No figure may be without data, nothing may lie outside
// of its plot, no two texts may lie on each other, and every text must stand out from the ground.
(() => {
  const LEAST_CONTRAST = 4.5; // WCAG 2, level AA
  const findings = [];
  const outside = (inner, outer) =>
    inner.left < outer.left - 1 || inner.top < outer.top - 1 || inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1;
  const overlap = (one, other) =>
    Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1 &&
    Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 2;

  const channels = (colour) => (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
  const luminance = (colour) => {
    const [red, green, blue] = channels(colour)
      .map((channel) => channel / 255)
      .map((channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const painted = getComputedStyle(document.body).backgroundColor;
  // Paper is white, and so is a page that says nothing.
  const ground = /, 0\)$/.test(painted) ? "rgb(255, 255, 255)" : painted;

  const inside = (title, svg) => {
    const view = svg.getBoundingClientRect();
    for (const element of svg.querySelectorAll("*")) {
      if (outside(element.getBoundingClientRect(), view)) {
        findings.push(`${title}: <${element.tagName}> lies outside of the plot: ${element.textContent.trim() || element.outerHTML.slice(0, 120)}`);
      }
    }
    const texts = [...svg.querySelectorAll("text")].map((text) => [text.textContent.trim(), text.getBoundingClientRect()]);
    for (const [index, [text, box]] of texts.entries()) {
      if (box.width === 0) findings.push(`${title}: the text \`${text}\` has no width`);
      for (const [other, its] of texts.slice(index + 1)) {
        if (overlap(box, its)) findings.push(`${title}: the texts \`${text}\` and \`${other}\` lie on each other`);
      }
    }
  };

  const figures = [...document.querySelectorAll("figure")].map((figure, index) => {
    const title = figure.querySelector("h3")?.textContent ?? `figure ${index + 1}`;
    const plot = figure.querySelector('[role="img"]');
    const svg = plot?.querySelector("svg");
    if (!plot?.getAttribute("aria-label")) findings.push(`${title}: no element with role="img" and an aria-label`);
    if (!figure.querySelector("figcaption")?.textContent.trim()) findings.push(`${title}: no caption`);
    if (!svg) {
      findings.push(`${title}: no plot`);
      return { title, box: null };
    }
    const { left, top, width, height } = svg.getBoundingClientRect();
    if (width < 200 || height < 80) findings.push(`${title}: the plot has ${width} x ${height} pixels`);
    const inks = [...figure.querySelectorAll("[data-ink]")].map((entry) => entry.dataset.ink);
    if (inks.length === 0) findings.push(`${title}: no legend`);
    for (const ink of inks) {
      const drawn = svg.querySelectorAll(`:not(text)[fill="${ink}"], :not(text)[stroke="${ink}"]`);
      for (const element of drawn) element.setAttribute("data-shown", "");
      if (drawn.length === 0) findings.push(`${title}: nothing is drawn in ${ink}`);
    }
    inside(title, svg);
    return { title, box: { x: left + scrollX, y: top + scrollY, width, height } };
  });
  if (figures.length === 0 && !document.querySelector(".nothing")) findings.push("no figure");

  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (!own) continue;
    const style = getComputedStyle(element);
    const ratio = contrast(element instanceof SVGElement ? style.fill : style.color, ground);
    if (ratio < LEAST_CONTRAST) {
      findings.push(`the text \`${element.textContent.trim().slice(0, 40)}\` does not stand out: contrast ${ratio.toFixed(1)}`);
    }
  }
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) findings.push(`the page is ${scrollWidth} pixels wide, and the window ${clientWidth}`);
  return { figures, findings };
})()
