// Each violation as a line: the rule, what it asks for, and the first places.
const [only, done] = arguments;
const place = (node) => {
  const check = [...node.any, ...node.all, ...node.none][0];
  return `${node.html.slice(0, 200)} (${check ? check.message : "no check"})`;
};
const line = (found) => `${found.id}: ${found.help}: ${found.nodes.slice(0, 3).map(place).join(" | ")}`;
axe.run(document, { runOnly: only, resultTypes: ["violations"], iframes: false }).then(
  (results) => done(results.violations.map(line)),
  (error) => done([`axe failed: ${error}`]),
);
