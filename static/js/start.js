// A mail that is pasted where the problem is named: one line of it names the problem, and all of it stands below, where
// its lines stay and nothing is cut off.

const GREETING = /^(?:hi|hello|hey|dear|good (?:morning|afternoon)|hallo|guten|to|from|sent|date|cc|von|an)\b[^.!?]{0,60}$/i;
const names = (line) => line.split(/\s+/).length >= 3 && !GREETING.test(line) && /\p{L}/u.test(line);

document.getElementById("id_problem_summary").addEventListener("paste", (event) => {
  const field = event.target;
  const details = document.getElementById("id_problem_description");
  const text = (event.clipboardData?.getData("text/plain") ?? "").replace(/\r\n?/g, "\n").trim();
  if (field.value.trim() || details.value.trim()) return; // what is written already is added to as usual
  if (!text.includes("\n") && text.length <= field.maxLength) return;
  event.preventDefault();
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  field.value = (lines.find(names) ?? lines[0]).slice(0, 200);
  details.value = text.slice(0, details.maxLength);
  for (const filled of [field, details]) filled.dispatchEvent(new Event("input", { bubbles: true }));
});
