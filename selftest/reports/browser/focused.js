() => {
  // Returns which of the elements that can be used has the focus, and whether it shows that.
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const style = getComputedStyle(element);
  return {
    number: [...document.querySelectorAll("a[href], button, input, select, summary")].indexOf(element),
    marked: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none",
    what: element.outerHTML.slice(0, 120),
  };
}
