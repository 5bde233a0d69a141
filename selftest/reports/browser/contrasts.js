([least, leastLarge]) => {
  // Returns the texts of a page that stand out too little from what lies behind them, by the formulas of WCAG 2.2.
  const parse = (text) => { const n = text.match(/[\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const over = (top, below) => top.slice(0, 3).map((part, i) => part * top[3] + below[i] * (1 - top[3]));
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    const layers = [];
    for (let node = element; node; node = node.parentElement) {
      const color = parse(getComputedStyle(node).backgroundColor);
      if (color[3] > 0) layers.push(color);
      if (color[3] === 1) break;
    }
    const canvas = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
    return layers.reverse().reduce((below, layer) => over(layer, below), canvas);
  };
  const bad = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const style = getComputedStyle(element);
    if (!texts.currentNode.textContent.trim() || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    seen += 1;
    const svg = element instanceof SVGElement;
    const ground = behind(element);
    const ink = parse(svg ? style.fill : style.color);
    const opacity = [];
    for (let node = element; node; node = node.parentElement) opacity.push(Number(getComputedStyle(node).opacity));
    ink[3] *= opacity.reduce((a, b) => a * b, 1);
    const [a, b] = [light(over(ink, ground)), light(ground)].sort((p, q) => q - p);
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
    const large = size >= 24 || (bold && size >= 18.66);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? leastLarge : least))
      bad.push(`${ratio.toFixed(2)} ${element.tagName}.${element.getAttribute("class")}: ${texts.currentNode.textContent.trim().slice(0, 60)}`);
  }
  return { seen, bad, ground: behind(document.body) };
}
